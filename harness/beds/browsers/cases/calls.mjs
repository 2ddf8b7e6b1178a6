// One whole call with each phone, direct and relayed: from the button to BYE, and what the browser says of its media.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import { eventually } from "../lib/eventually.mjs";
import { play } from "../lib/play.mjs";

const bundled = (name) => ["--phone", fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url))];

// By name: what the lab is started with to serve it.
export const PHONES = { own: [], jssip: bundled("jssip"), sipjs: bundled("sipjs") };

export const calls = Object.entries(PHONES).flatMap(([phone, args]) => [
  { name: `${phone}, direct`, play: play({ labArgs: args }, (visitor, lab) => call(visitor, lab, "all")) },
  {
    name: `${phone}, relay only`,
    play: play({ labArgs: [...args, "--relay-only"] }, (visitor, lab) => call(visitor, lab, "relay")),
  },
]);

async function call(visitor, lab, transports) {
  await visitor.says("Ready to call.");
  assert.deepEqual(await visitor.ask(() => window.seen.microphones()), [], "no microphone before the click");
  assert.deepEqual(visitor.sockets, [], "no connection before the click");
  await visitor.button("Call").click();
  await visitor.says("In a call");
  await visitor.page.getByRole("timer").waitFor();
  assert.equal(await lab.saw("REGISTER", 200), 1);
  assert.equal(await lab.saw("INVITE", 200), 1);

  const media = await bothWays(visitor);
  assert.equal(media.dtlsState, "connected");
  assert.match(media.tlsVersion, /^FEF[CD]$/, "DTLS 1.3 or 1.2");
  assert.match(media.srtpCipher, /^(SRTP_)?(AEAD_AES_(128|256)_GCM|AES_CM_128_HMAC_SHA1_80)$/);
  assert.equal(await visitor.ask(() => window.seen.policy()), transports);
  // The first way that works may be the relay; a browser that may choose then moves to a better one.
  const wanted = transports === "relay" ? ["relay"] : ["host", "prflx", "srflx"];
  const local = async () => (await visitor.ask(() => window.seen.statistics())).local;
  await eventually(`a candidate of type ${wanted}`, async () => wanted.includes(await local()));

  await visitor.button("Hang up").click();
  await visitor.says("The call has ended.");
  await eventually("BYE at the lab", async () => (await lab.saw("BYE", 200)) === 1);
  await released(visitor);
  await leftNothing(visitor, lab);
}

// Waits until packets went and came, and more of them a little later, and until what came was not silence.
async function bothWays(visitor) {
  const flowing = async () => {
    const now = await window.seen.statistics();
    const before = (window.before ??= now);
    return now.sent > before.sent && now.received > before.received && before.received > 0 && now.heard > 0 && now;
  };
  await visitor.until(async () => (await window.seen.statistics()).received > 0);
  return visitor.until(flowing);
}

// The browser's sign for a recording microphone is out.
export async function released(visitor) {
  const ended = () => window.seen.microphones().every((state) => state === "ended") && window.seen.microphones();
  assert.ok((await visitor.until(ended)).length > 0, "a microphone was open");
}

async function leftNothing(visitor, lab) {
  const stored = await visitor.ask(() => window.seen.stored());
  assert.deepEqual(stored, { local: [], session: [], databases: [], cookies: "" });
  assert.deepEqual(visitor.console, [], "nothing on the console");
  assert.deepEqual(await visitor.ask(() => window.seen.violations()), [], "no violation of the policy");
  assert.equal(visitor.page.url(), lab.page, "the address is as it was");
  assert.ok(visitor.sockets.every((url) => !url.includes("?")), `in a WebSocket's URL: ${visitor.sockets}`);
}
