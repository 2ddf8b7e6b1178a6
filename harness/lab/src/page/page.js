// The button: what a click does, what the visitor sees, and that everything a call held is given back.
import { fetchConfig } from "./config.js";
import { broken } from "./fault.js";
import { accepted } from "./notice.js";
import { place } from "./phone.js";
import { userId } from "./user-id.js";
import { lengthOf, wordsFor } from "./words.js";

// A login is good for half a minute: who takes longer over the notice or the microphone gets a new one.
const FRESH_MS = 20_000;

const element = (id) => document.getElementById(id);
const { config: configUrl, iceTransportPolicy } = document.body.dataset;
let attempt = null;

element("call").addEventListener("click", (event) => {
  if (event.detail > 1) return; // the second half of a double click is no wish to hang up
  if (attempt) attempt.hangUp();
  else attempt = new Attempt();
});
addEventListener("pagehide", () => attempt?.hangUp());
if (broken("microphone-on-load")) navigator.mediaDevices.getUserMedia({ audio: true });

// One call from the click to its end, and what it holds meanwhile.
class Attempt {
  #abort = new AbortController();
  #microphone = null;
  #phone = null;
  #answered = 0;
  #clock = 0;

  constructor() {
    this.#run().catch((error) => this.#show("failed", { reason: error.reason ?? error.name }));
  }

  hangUp() {
    this.#abort.abort();
    if (this.#phone) this.#phone.hangUp();
    else this.#show("idle");
  }

  async #run() {
    const { signal } = this.#abort;
    this.#show("connecting");
    let config = await fetchConfig(configUrl, signal);
    const fetched = performance.now();
    if (!(await accepted(config.notice, signal))) return this.hangUp();
    this.#show("microphone");
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
    if (signal.aborted) return microphone.getTracks().forEach((track) => track.stop());
    this.#microphone = microphone;
    this.#show("connecting");
    if (performance.now() - fetched > FRESH_MS) config = await fetchConfig(configUrl, signal);
    const { sip, iceServers } = config;
    const onState = (state, detail) => this.#show(state, detail);
    this.#phone = place({ sip, iceServers, iceTransportPolicy, microphone, userId: userId() }, { onState });
  }

  #show(state, detail = {}) {
    if (attempt !== this) return; // over already, or of the call before
    if (state === "in-call") this.#begin(detail.audio);
    const over = ["idle", "ended", "failed"].includes(state);
    if (over) this.#end();
    const seconds = this.#answered ? this.#seconds() : null;
    const { what, hint } = wordsFor(state, { ...detail, seconds });
    element("what").textContent = what;
    element("hint").textContent = hint;
    element("state").dataset.state = state;
    element("call").textContent = over ? "Call" : state === "in-call" ? "Hang up" : "Cancel";
    element("call").classList.toggle("busy", !over);
  }

  #begin(audio) {
    element("far").srcObject = audio;
    this.#answered = performance.now();
    this.#clock = setInterval(() => this.#tick(), 1000);
    this.#tick();
    element("duration").hidden = false;
  }

  #tick() {
    element("duration").textContent = lengthOf(this.#seconds());
  }

  #seconds() {
    return Math.floor((performance.now() - this.#answered) / 1000);
  }

  #end() {
    attempt = null;
    clearInterval(this.#clock);
    this.#microphone?.getTracks().forEach((track) => track.stop());
    element("far").srcObject = null;
    element("duration").hidden = true;
  }
}
