// How the page treats its visitor, and a caller whom nobody expects.
import assert from "node:assert/strict";

import { eventually } from "../lib/eventually.mjs";
import { play } from "../lib/play.mjs";
import { PHONES, released } from "./calls.mjs";

export const manners = [
  {
    name: "own, by keyboard alone",
    play: play({}, async (visitor) => {
      const { keyboard } = visitor.page;
      await keyboard.press("Tab");
      assert.equal(await focused(visitor), "call");
      await keyboard.press("Enter");
      await visitor.says("In a call");
      assert.equal(await focused(visitor), "call", "the focus stays where it was");
      await keyboard.press("Space");
      await visitor.says("The call has ended.");
      await released(visitor);
    }),
  },
  {
    name: "own, hung up while connecting, and called again",
    play: play({}, async (visitor, lab) => {
      await visitor.button("Call").click();
      await visitor.button("Cancel").click();
      await visitor.button("Call").waitFor();
      await visitor.button("Call").click();
      await visitor.says("In a call");
      await visitor.button("Hang up").click();
      await eventually("BYE at the lab", async () => (await lab.saw("BYE", 200)) >= 1);
      await released(visitor);
    }),
  },
  {
    name: "own, a double click places one call",
    play: play({}, async (visitor, lab) => {
      await visitor.button("Call").dblclick();
      await visitor.says("In a call");
      assert.equal(await lab.saw("INVITE", 200), 1);
    }),
  },
  {
    name: "own, the privacy notice comes before the microphone",
    play: play({ visit: { prepare: withNotice } }, async (visitor, lab) => {
      await visitor.button("Call").click();
      const notice = visitor.page.getByRole("dialog", { name: "Before you call" });
      await notice.getByText("We listen to you & <b>nobody</b> else.").waitFor();
      assert.deepEqual(await visitor.ask(() => window.seen.microphones()), []);
      await visitor.page.keyboard.press("Escape");
      await visitor.says("Ready to call.");
      assert.equal(await focused(visitor), "call", "the focus is back");

      await visitor.button("Call").click();
      assert.deepEqual(await visitor.ask(() => window.seen.microphones()), []);
      assert.equal(await lab.saw("REGISTER", 200), 0);
      await notice.getByRole("button", { name: "I agree" }).click();
      await visitor.says("In a call");
    }),
  },
  ...Object.entries(PHONES).map(([phone, labArgs]) => {
    const line = tapped();
    return {
      name: `${phone}, an unexpected caller is refused`,
      play: play({ labArgs, visit: { prepare: line.tap } }, (visitor) => callers(visitor, line)),
    };
  }),
];

// An INVITE, one that wants to replace the call, and a REFER, within the call and after it.
async function callers(visitor, line) {
  await visitor.button("Call").click();
  await visitor.says("In a call");
  const strangers = [
    ["INVITE", 1, ""],
    ["INVITE", 2, line.replaces()],
    ["REFER", 3, "Refer-To: <sip:app-x@sip.lab.test>\r\n"],
  ];
  for (const [method, number, field] of strangers) {
    line.inject(method, number, field);
    await eventually(`an answer to ${method} ${number}`, () => line.answer(method, number));
    assert.ok(line.answer(method, number) >= 300, `${method} ${number} got ${line.answer(method, number)}`);
  }
  assert.equal(await visitor.ask(() => window.seen.peers()), 1, "no further peer connection");
  await visitor.says("In a call");
  await visitor.button("Hang up").click();
  await visitor.says("The call has ended.");
  line.inject("INVITE", 4, "");
  await released(visitor);
  assert.equal(await visitor.ask(() => window.seen.peers()), 1);
  assert.notEqual(Math.floor(line.answer("INVITE", 4) / 100), 2, "not answered after the call either");
}

// The WebSocket of the page with something in between that adds requests of a stranger's.
export function tapped() {
  let socket = null;
  const sent = [];
  return {
    tap: (page) =>
      page.routeWebSocket(/^wss:/, (opened) => {
        socket = opened;
        const server = opened.connectToServer();
        opened.onMessage((message) => {
          sent.push(String(message));
          server.send(message);
        });
      }),
    inject(method, number, field, body = "") {
      const type = body && "Content-Type: application/sdp\r\n";
      socket.send(
        `${method} sip:visitor@x.invalid SIP/2.0\r\nVia: SIP/2.0/WSS stranger.invalid;branch=z9hG4bKstranger${number}\r\n` +
          `Max-Forwards: 70\r\nFrom: <sip:stranger@sip.lab.test>;tag=stranger\r\nTo: <sip:visitor@sip.lab.test>\r\n` +
          `Call-ID: stranger-${number}\r\nCSeq: ${number} ${method}\r\nContact: <sip:stranger@stranger.invalid>\r\n` +
          `${field}${type}Content-Length: ${body.length}\r\n\r\n${body}`,
      );
    },
    // The final answer of the page: its status, or 0 while there is none.
    answer(method, number) {
      const mine = sent.filter((text) => text.startsWith("SIP/2.0 ") && text.includes(`CSeq: ${number} ${method}`));
      return mine.map((text) => Number(text.split(" ")[1])).find((status) => status >= 200) ?? 0;
    },
    // RFC 3891: the dialog of the page's own call.
    replaces() {
      const invite = sent.find((text) => text.startsWith("INVITE "));
      const callId = invite.match(/Call-ID: (.*)\r/)[1];
      const tag = invite.match(/From: .*;tag=(\S+)/)[1];
      const to = sent.find((text) => text.startsWith("ACK ") && text.includes(callId)).match(/To: .*;tag=(\S+)/)[1];
      return `Replaces: ${callId};to-tag=${tag};from-tag=${to}\r\n`;
    },
  };
}

async function withNotice(page) {
  await page.route(/\/[0-9a-f]{64}$/, async (route) => {
    const response = await route.fetch({ ignoreHTTPSErrors: true });
    const json = await response.json();
    const text = "We listen to you & <b>nobody</b> else.";
    json.settings.privacyNotice = { enabled: true, text, submitButtonText: "I agree" };
    await route.fulfill({ response, json });
  });
}

function focused(visitor) {
  return visitor.ask(() => document.activeElement.id);
}
