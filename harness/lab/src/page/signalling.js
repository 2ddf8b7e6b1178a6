// SIP over one WebSocket (RFC 7118): requests that wait for their final answer, and whatever the far side sends.
import { MAX_MESSAGE, parse, uriIn, written } from "./message.js";
import { random } from "./random.js";

const OPENING_MS = 20_000;
// Timer B and F, 64 times T1: from then on nobody will answer. RFC 3261, section 17.1.
const ANSWER_MS = 32_000;

export class Signalling {
  onRequest = () => {};
  onClosed = () => {};
  #socket;
  #waiting = new Map();

  // Connects, or throws an error whose reason is "unreachable".
  static open(uri) {
    return new Promise((done, failed) => {
      const socket = new WebSocket(uri, "sip");
      const give = () => {
        socket.close();
        failed(lost("unreachable"));
      };
      const limit = setTimeout(give, OPENING_MS);
      socket.onerror = give;
      socket.onopen = () => {
        clearTimeout(limit);
        done(new Signalling(socket));
      };
    });
  }

  constructor(socket) {
    this.#socket = socket;
    socket.onerror = null;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = () => this.#lost();
  }

  send(start, headers, body) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(written(start, headers, body));
  }

  // Gives the final answer; one to INVITE is acknowledged here. Throws when there will be none.
  request(start, headers, body, onProvisional = () => {}) {
    this.send(start, headers, body);
    const sent = parse(written(start, headers, ""));
    return new Promise((done, failed) => {
      const limit = setTimeout(() => this.#settle(sent.field("CSeq"), () => failed(lost("unreachable"))), ANSWER_MS);
      this.#waiting.set(sent.field("CSeq"), { sent, done, failed, onProvisional, limit });
    });
  }

  close() {
    this.#socket.close();
  }

  #receive(text) {
    const message = typeof text === "string" && text.length <= MAX_MESSAGE ? parse(text) : null;
    if (!message) return; // a keep-alive, or nothing that we could answer
    if (!message.status) return this.onRequest(message);
    const cseq = message.field("CSeq");
    const waiting = this.#waiting.get(cseq);
    if (message.status < 200) {
      clearTimeout(waiting?.limit);
      return waiting?.onProvisional(message);
    }
    if (cseq?.endsWith(" INVITE")) this.#acknowledge(message, waiting?.sent);
    this.#settle(cseq, () => waiting.done(message));
  }

  // Also for a 200 that comes again because our first ACK was late. RFC 3261, section 13.2.2.4; for refusals, 17.1.1.3.
  #acknowledge(answer, invite) {
    const accepted = answer.status < 300;
    const target = accepted ? uriIn(answer.field("Contact")) : invite?.start.split(" ")[1];
    if (!target) return;
    const branch = accepted ? () => "branch=z9hG4bK" + random(16) : (same) => same;
    const via = answer.field("Via")?.replace(/branch=[^;,]+/, branch);
    const same = ["From", "To", "Call-ID"].map((name) => `${name}: ${answer.field(name)}`);
    const number = answer.field("CSeq").split(" ")[0];
    this.send(`ACK ${target} SIP/2.0`, [`Via: ${via}`, "Max-Forwards: 70", ...same, `CSeq: ${number} ACK`], "");
  }

  #settle(cseq, how) {
    const waiting = this.#waiting.get(cseq);
    if (!waiting) return;
    this.#waiting.delete(cseq);
    clearTimeout(waiting.limit);
    how();
  }

  #lost() {
    for (const cseq of [...this.#waiting.keys()]) {
      const { failed } = this.#waiting.get(cseq);
      this.#settle(cseq, () => failed(lost("lost")));
    }
    this.onClosed();
  }
}

function lost(reason) {
  return Object.assign(new Error(reason), { reason });
}
