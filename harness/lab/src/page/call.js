// Click to call: fetches the configuration, registers over WebSocket (RFC 7118) with a SHA-256 digest (RFC 8760), places
// one call and hangs up. It only knows as much SIP as the desk behind it speaks.
"use strict";

const button = document.getElementById("call");
const state = document.getElementById("state");
const far = document.getElementById("far");
let call = null;

button.addEventListener("click", async () => {
  if (call) {
    call.hangUp();
    return;
  }
  button.disabled = true;
  try {
    call = await Call.place();
    button.textContent = "Hang up";
    say("In a call.");
  } catch (error) {
    call = null;
    say("The call failed: " + error.message);
  }
  button.disabled = false;
});

function say(text) {
  state.textContent = text;
}

function random(bytes) {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

async function sha256(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("");
}

class Call {
  static async place() {
    say("Asking for the microphone.");
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
    const self = new Call(microphone);
    try {
      say("Connecting.");
      const answer = await fetch(document.body.dataset.config);
      if (!answer.ok) throw new Error("the configuration answered " + answer.status);
      await self.register(await answer.json());
      say("Ringing.");
      await self.invite();
      return self;
    } catch (error) {
      self.end();
      throw error;
    }
  }

  constructor(microphone) {
    this.microphone = microphone;
    this.tag = random(6);
    this.cseq = 0;
    this.host = random(6) + ".invalid";
    this.waiting = new Map();
  }

  async register(config) {
    const sip = config.endpointSettings.sipConnectivityInfo;
    this.sip = sip;
    this.iceServers = config.iceServers || [];
    this.aor = "sip:visitor-" + random(4) + "@" + sip.realm;
    this.contact = "<sip:visitor@" + this.host + ";transport=ws>";
    this.socket = new WebSocket(sip.wsUri, "sip");
    await new Promise((done, failed) => {
      this.socket.onopen = done;
      this.socket.onerror = () => failed(new Error("signalling is not reachable"));
    });
    this.socket.onmessage = (event) => this.receive(event.data);
    this.socket.onclose = () => this.lost();
    const answer = await this.ask("REGISTER", "sip:" + sip.realm, this.aor, ["Expires: 600"], "");
    if (answer.status !== 200) throw new Error("registration answered " + answer.status);
  }

  async invite() {
    this.peer = new RTCPeerConnection({ iceServers: this.iceServers });
    this.peer.ontrack = (event) => { far.srcObject = event.streams[0] || new MediaStream([event.track]); };
    this.microphone.getTracks().forEach((track) => this.peer.addTrack(track, this.microphone));
    await this.peer.setLocalDescription(await this.peer.createOffer());
    await new Promise((done) => {
      const check = () => this.peer.iceGatheringState === "complete" && done();
      this.peer.onicegatheringstatechange = check;
      check();
    });
    this.target = "sip:app-" + this.sip.applicationSid + "@" + this.sip.realm;
    const offer = this.peer.localDescription.sdp;
    const answer = await this.ask("INVITE", this.target, this.target, ["Content-Type: application/sdp"], offer);
    if (answer.status !== 200) throw new Error("the desk answered " + answer.status);
    await this.peer.setRemoteDescription({ type: "answer", sdp: answer.body });
  }

  // One request, and once more with a login if it is asked for. Gives the final answer.
  async ask(method, uri, to, extra, body) {
    const callId = method === "REGISTER" ? random(8) : (this.callId = random(8));
    let answer = await this.send(method, uri, "<" + to + ">", callId, extra, body);
    const asked = answer.headers.find(([name, value]) => /-authenticate$/i.test(name) && /sha-256/i.test(value));
    if (asked) {
      const field = /^www/i.test(asked[0]) ? "Authorization: " : "Proxy-Authorization: ";
      const login = field + await this.login(asked[1], method, uri);
      answer = await this.send(method, uri, "<" + to + ">", callId, [...extra, login], body);
    }
    if (method === "INVITE" && answer.status === 200) {
      this.remote = answer.header("To");
      this.remoteTarget = answer.header("Contact").replace(/^.*<|>.*$/g, "");
    }
    return answer;
  }

  async login(challenge, method, uri) {
    const get = (name) => (challenge.match(new RegExp(name + '="([^"]*)"', "i")) || [])[1] || "";
    const [realm, nonce, cnonce, nc] = [get("realm"), get("nonce"), random(8), "00000001"];
    const secret = await sha256(this.sip.username + ":" + realm + ":" + this.sip.password);
    const asked = await sha256(method + ":" + uri);
    const response = await sha256([secret, nonce, nc, cnonce, "auth", asked].join(":"));
    return `Digest username="${this.sip.username}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
      `response="${response}", algorithm=SHA-256, qop=auth, nc=${nc}, cnonce="${cnonce}"`;
  }

  send(method, uri, to, callId, extra, body, number) {
    const cseq = number || ++this.cseq;
    const branch = "z9hG4bK" + random(8);
    this.write([
      method + " " + uri + " SIP/2.0",
      "Via: SIP/2.0/WSS " + this.host + ";branch=" + branch,
      "Max-Forwards: 70",
      "From: <" + this.aor + ">;tag=" + this.tag,
      "To: " + to,
      "Call-ID: " + callId,
      "CSeq: " + cseq + " " + method,
      "Contact: " + this.contact,
      ...extra,
    ], body);
    return new Promise((done) => this.waiting.set(cseq + " " + method, done));
  }

  write(lines, body) {
    const length = new TextEncoder().encode(body).length;
    this.socket.send([...lines, "Content-Length: " + length, "", body].join("\r\n"));
  }

  receive(text) {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return; // a keep-alive
    const [first, ...lines] = text.slice(0, end).split("\r\n");
    const headers = lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
    const header = (name) => (headers.find(([known]) => known.toLowerCase() === name.toLowerCase()) || [])[1];
    if (!first.startsWith("SIP/2.0 ")) {
      this.answer(first, headers);
      return;
    }
    const message = { status: Number(first.split(" ")[1]), headers, header, body: text.slice(end + 4) };
    if (message.status < 200) return;
    const [number, method] = header("CSeq").split(" ");
    if (method === "INVITE") this.acknowledge(message, Number(number));
    const done = this.waiting.get(number + " " + method);
    this.waiting.delete(number + " " + method);
    if (done) done(message);
  }

  acknowledge(answer, number) {
    const contact = answer.header("Contact");
    const uri = answer.status === 200 && contact ? contact.replace(/^.*<|>.*$/g, "") : this.target;
    const via = answer.status === 200 ? "SIP/2.0/WSS " + this.host + ";branch=z9hG4bK" + random(8) : answer.header("Via");
    this.write([
      "ACK " + uri + " SIP/2.0",
      "Via: " + via,
      "Max-Forwards: 70",
      "From: " + answer.header("From"),
      "To: " + answer.header("To"),
      "Call-ID: " + answer.header("Call-ID"),
      "CSeq: " + number + " ACK",
    ], "");
  }

  // A request of the desk's: it hangs up, or asks for something that this page does not do.
  answer(first, headers) {
    const method = first.split(" ")[0];
    if (method === "ACK") return;
    const repeated = headers.filter(([name]) => /^(via|from|to|call-id|cseq)$/i.test(name));
    const status = method === "BYE" ? "200 OK" : "405 Method Not Allowed";
    this.write(["SIP/2.0 " + status, ...repeated.map(([name, value]) => name + ": " + value)], "");
    if (method === "BYE") this.over("The desk has hung up.");
  }

  async hangUp() {
    button.disabled = true;
    const bye = this.send("BYE", this.remoteTarget, this.remote, this.callId, [], "");
    await Promise.race([bye, new Promise((done) => setTimeout(done, 2000))]);
    this.over("You have hung up.");
  }

  lost() {
    for (const done of this.waiting.values()) done({ status: 0, headers: [], header: () => undefined, body: "" });
    if (call === this) this.over("The connection was lost.");
  }

  over(text) {
    this.end();
    call = null;
    button.textContent = "Call";
    button.disabled = false;
    say(text);
  }

  end() {
    this.microphone.getTracks().forEach((track) => track.stop());
    if (this.peer) this.peer.close();
    if (this.socket) {
      this.socket.onclose = null;
      this.socket.close();
    }
  }
}
