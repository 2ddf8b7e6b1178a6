// What a visitor is told when a call does not come about or breaks, and that the next one works where it can.
import assert from "node:assert/strict";

import { play } from "../lib/play.mjs";
import { PHONES, released } from "./calls.mjs";

const each = (name, doing, options = {}) =>
  Object.entries(PHONES).map(([phone, labArgs]) => {
    return { name: `${phone}, ${name}`, play: play({ labArgs, ...options }, doing) };
  });

export const troubles = [
  ...each("the lab is gone before the call", async (visitor, lab) => {
    await lab.stop();
    await visitor.button("Call").click();
    await visitor.says("The desk cannot be reached.");
    await visitor.button("Call").waitFor();
    assert.deepEqual(await visitor.ask(() => window.seen.microphones()), []);
  }),
  ...each("the lab is gone in a call", async (visitor, lab) => {
    await visitor.button("Call").click();
    await visitor.says("In a call");
    await lab.stop();
    await visitor.says(/The connection was lost|The desk has hung up/);
    await released(visitor);
  }),
  ...each("the desk is busy", async (visitor) => {
    await visitor.button("Call").click();
    await visitor.says("The desk is busy.");
    await released(visitor);
  }, { visit: { prepare: busy } }),
  {
    name: "own, the microphone is refused",
    play: play({ visit: { microphone: false } }, async (visitor, lab) => {
      await visitor.button("Call").click();
      await visitor.says("The microphone is blocked.");
      assert.equal(await lab.saw("REGISTER", 200), 0);
      await visitor.context.grantPermissions(["microphone"], { origin: new URL(lab.page).origin });
      await visitor.button("Call").click();
      await visitor.says("In a call");
    }),
  },
];

// The lab is never busy, so its 180 becomes a 486 on the way. Nothing else is touched.
async function busy(page) {
  await page.routeWebSocket(/^wss:/, (socket) => {
    const server = socket.connectToServer();
    let refused = false;
    server.onMessage((message) => {
      if (refused) return;
      refused = String(message).startsWith("SIP/2.0 180 ");
      socket.send(String(message).replace(/^SIP\/2\.0 180 Ringing/, "SIP/2.0 486 Busy Here"));
    });
  });
}
