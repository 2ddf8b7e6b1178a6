// That each fault of the page shows itself in a real browser, so that a scenario can find it.
import assert from "node:assert/strict";

import { eventually } from "../lib/eventually.mjs";
import { play } from "../lib/play.mjs";
import { tapped } from "./manners.mjs";

const broken = (fault, doing, visit = {}) => ({
  name: `fault ${fault}`,
  play: play({ labArgs: ["--fault", fault], visit }, doing),
});
const line = tapped();

export const faults = [
  broken("console-dump", async (visitor) => {
    await call(visitor);
    assert.ok(visitor.console.length > 0);
  }),
  broken("microphone-on-load", async (visitor) => {
    await visitor.until(() => window.seen.microphones().length === 1);
  }),
  broken("page-auto-answers", async (visitor) => {
    await call(visitor);
    line.inject("INVITE", 1, "", await visitor.ask(offer));
    await eventually("an answer to the stranger", () => line.answer("INVITE", 1));
    assert.equal(line.answer("INVITE", 1), 200);
  }, { prepare: line.tap }),
  broken("page-reuses-certificate", async (visitor) => {
    await call(visitor);
    const [first] = await visitor.ask(() => window.seen.fingerprints());
    await visitor.page.reload();
    await call(visitor);
    assert.deepEqual(await visitor.ask(() => window.seen.fingerprints()), [first]);
  }),
  broken("page-user-id-email", async (visitor) => {
    await call(visitor);
    assert.match(visitor.sent(), /^From: <sip:test\.user%40example\.com@/m);
  }),
  broken("token-in-url", async (visitor) => {
    await call(visitor);
    assert.match(visitor.sockets[0], /\?access_token=.+/);
  }),
  broken("user-id-counter", async (visitor) => {
    await call(visitor);
    await visitor.page.reload();
    await call(visitor);
    assert.match(visitor.sent(), /^From: <sip:visitor-1@[^]*^From: <sip:visitor-2@/m);
  }),
];

async function call(visitor) {
  await visitor.button("Call").click();
  await visitor.says("In a call");
}

// In the page: an offer as a stranger would make it.
async function offer() {
  const peer = new RTCPeerConnection();
  peer.addTransceiver("audio");
  await peer.setLocalDescription();
  const { sdp } = peer.localDescription;
  peer.close();
  return sdp;
}
