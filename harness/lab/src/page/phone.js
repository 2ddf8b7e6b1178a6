// The phone: registers, places one call and hangs up. It only knows as much SIP as the desk behind it speaks, and any
// other SIP stack with the same interface may take its place.
//
// place(config, { onState }) -> { hangUp() }
//   config   sip: wsUri, realm, username, password, applicationSid · iceServers · iceTransportPolicy · userId
//            microphone: a MediaStream, which stays the page's: the phone neither opens nor stops it
//   onState  "connecting" · "ringing" · "in-call", { audio: MediaStream }, once audio can flow · and, once and last,
//            "ended", { by: "visitor" | "desk" } or "failed", { reason, status }, where reason is "unreachable",
//            "refused" (with the SIP status), "no-audio" or "lost"
import { authorization } from "./digest.js";
import { answerAnybody, broken } from "./fault.js";
import { connected, offering } from "./media.js";
import { headersOfAnswer, uriIn } from "./message.js";
import { random } from "./random.js";
import { Signalling } from "./signalling.js";

const ALLOW = "Allow: ACK, BYE, OPTIONS";
const SDP = "Content-Type: application/sdp";
// How long the desk may ring, and how long the connection outlives the call: for a BYE that crosses ours.
const RINGING_MS = 60_000;
const LINGER_MS = 10_000;

export function place(config, { onState }) {
  const call = new Call(config, onState);
  call.run();
  return { hangUp: () => call.hangUp() };
}

class Call {
  #config;
  #onState;
  #over = false;
  #signalling = null;
  #peer = null;
  #host = random(6) + ".invalid"; // RFC 7118, section 5.2: a browser has no name
  #tag = random(8);
  #callId = random(16);
  #cseq = 0;
  #invite = null; // while it has no final answer
  #dialog = null; // once it has: { target, to, answer }, and `ended` after BYE

  constructor(config, onState) {
    this.#config = config;
    this.#onState = onState;
  }

  async run() {
    try {
      this.#onState("connecting");
      for (const step of [() => this.#connect(), () => this.#register(), () => this.#call()]) {
        await step();
        if (this.#over) return this.#leave();
      }
      await this.#peer.setRemoteDescription({ type: "answer", sdp: this.#dialog.answer });
      await connected(this.#peer, () => this.#end("failed", { reason: "lost" }));
      this.#onceOpen("in-call", { audio: new MediaStream(this.#peer.getReceivers().map((one) => one.track)) });
    } catch (error) {
      if (this.#over) this.#leave();
      else this.#end("failed", { reason: error.reason ?? "refused", status: error.status });
    }
  }

  hangUp() {
    this.#end("ended", { by: "visitor" });
  }

  async #connect() {
    const { wsUri, username, realm, password } = this.#config.sip;
    if (broken("console-dump")) console.log("SIP options", { wsUri, username, realm, password });
    const uri = broken("token-in-url") ? `${wsUri}?access_token=${password}` : wsUri;
    this.#signalling = await Signalling.open(uri);
    this.#signalling.onRequest = (request) => this.#receive(request);
    this.#signalling.onClosed = () => this.#end("failed", { reason: "lost" });
  }

  async #register() {
    const uri = `sip:${this.#config.sip.realm}`;
    await this.#ask({ method: "REGISTER", uri, to: `<${this.#aor}>`, callId: random(16), extra: ["Expires: 600"] });
  }

  async #call() {
    const { microphone, iceServers, iceTransportPolicy, sip } = this.#config;
    this.#peer = await offering(microphone, { iceServers, iceTransportPolicy });
    if (this.#over) return;
    const uri = `sip:app-${sip.applicationSid}@${sip.realm}`;
    this.#invite = { method: "INVITE", uri, to: `<${uri}>`, callId: this.#callId, extra: [SDP] };
    const limit = setTimeout(() => this.#end("failed", { reason: "refused", status: 408 }), RINGING_MS);
    const onProvisional = ({ status }) => {
      if (this.#over) this.#cancel(); // RFC 3261, section 9.1: not before a provisional answer
      else if (status > 100) this.#onceOpen("ringing");
      this.#invite.underWay = true;
    };
    try {
      const answer = await this.#ask(this.#invite, this.#peer.localDescription.sdp, onProvisional);
      this.#dialog = { target: uriIn(answer.field("Contact")) ?? uri, to: answer.field("To"), answer: answer.body };
    } finally {
      clearTimeout(limit);
      this.#invite = null;
    }
  }

  // A request, and once more with a login if one is asked for. Gives the 2xx.
  async #ask(request, body = "", onProvisional = () => {}) {
    let answer = await this.#send(request, body, onProvisional);
    const login = [401, 407].includes(answer.status) && (await authorization(answer, request, this.#config.sip));
    if (login) answer = await this.#send({ ...request, extra: [...request.extra, login] }, body, onProvisional);
    if (answer.status >= 300) throw Object.assign(new Error("refused"), { reason: "refused", status: answer.status });
    return answer;
  }

  #send(request, body, onProvisional) {
    const { method, uri } = request;
    request.cseq = ++this.#cseq;
    request.branch = "z9hG4bK" + random(16);
    // The one that is under way is what CANCEL has to name.
    if (this.#invite && method === "INVITE") Object.assign(this.#invite, { cseq: request.cseq, branch: request.branch });
    return this.#signalling.request(`${method} ${uri} SIP/2.0`, this.#headers(request), body, onProvisional);
  }

  #headers({ method, to, callId, cseq, branch, extra = [] }) {
    return [
      `Via: SIP/2.0/WSS ${this.#host};branch=${branch}`,
      "Max-Forwards: 70",
      `From: <${this.#aor}>;tag=${this.#tag}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:visitor@${this.#host};transport=ws>`,
      ...extra,
    ];
  }

  get #aor() {
    return `sip:${encodeURIComponent(this.#config.userId)}@${this.#config.sip.realm}`;
  }

  // Nobody calls a visitor. What belongs to the call is its end; everything else is refused.
  #receive(request) {
    const { method } = request;
    const ours = this.#dialog && request.field("Call-ID") === this.#callId && request.field("To")?.includes(this.#tag);
    if (method === "ACK") return;
    if (method === "INVITE" && broken("page-auto-answers")) return this.#pickUp(request);
    if (method === "INVITE") return this.#answer(request, ours ? "488 Not Acceptable Here" : "486 Busy Here");
    if (method === "OPTIONS") return this.#answer(request, "200 OK", [ALLOW]);
    if (method === "CANCEL") return this.#answer(request, "481 Call/Transaction Does Not Exist");
    if (method !== "BYE") return this.#answer(request, "405 Method Not Allowed", [ALLOW]);
    this.#answer(request, ours ? "200 OK" : "481 Call/Transaction Does Not Exist");
    if (ours) {
      this.#dialog.ended = true;
      this.#end("ended", { by: "desk" });
    }
  }

  async #pickUp(request) {
    const sdp = await answerAnybody(request.body);
    this.#answer(request, "200 OK", [`Contact: <sip:visitor@${this.#host};transport=ws>`, SDP], sdp);
  }

  #answer(request, status, extra = [], body = "") {
    this.#signalling.send(`SIP/2.0 ${status}`, [...headersOfAnswer(request, this.#tag), ...extra], body);
  }

  #onceOpen(state, detail) {
    if (!this.#over) this.#onState(state, detail);
  }

  // The last word to the page, and then to the desk.
  #end(state, detail) {
    if (this.#over) return;
    this.#onceOpen(state, detail);
    this.#over = true;
    if (this.#invite?.underWay) this.#cancel();
    else if (!this.#invite) this.#leave();
  }

  #cancel() {
    const { uri, to, callId, cseq, branch } = this.#invite;
    const headers = this.#headers({ method: "CANCEL", to, callId, cseq, branch });
    this.#signalling.request(`CANCEL ${uri} SIP/2.0`, headers, "");
  }

  // BYE goes before the end of the media, which the desk would take for its cue to hang up.
  async #leave() {
    setTimeout(() => this.#signalling?.close(), LINGER_MS);
    if (this.#dialog && !this.#dialog.ended) {
      this.#dialog.ended = true;
      const { target: uri, to } = this.#dialog;
      await this.#send({ method: "BYE", uri, to, callId: this.#callId }, "").catch(() => {});
    }
    this.#peer?.close();
  }
}
