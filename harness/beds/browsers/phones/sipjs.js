// The page's phone on SIP.js; the interface is that of harness/lab/src/page/phone.js.
import { Inviter, Registerer, RegistererState, SessionState, UserAgent, Web } from "sip.js";

import { connected } from "../../../lab/src/page/media.js";
import { understood } from "./challenges.js";

export function place(config, { onState }) {
  const call = new Call(config, onState);
  call.run();
  return { hangUp: () => call.end("ended", { by: "visitor" }) };
}

class Call {
  #config;
  #onState;
  #over = false;
  #agent;
  #registerer;
  #session = null;
  #opened = false;

  constructor(config, onState) {
    const { sip, iceServers, iceTransportPolicy, microphone, userId } = config;
    this.#config = config;
    this.#onState = onState;
    this.#agent = new UserAgent({
      uri: UserAgent.makeURI(`sip:${encodeURIComponent(userId)}@${sip.realm}`),
      authorizationUsername: sip.username,
      authorizationPassword: sip.password,
      transportOptions: { server: sip.wsUri },
      logLevel: "error",
      logBuiltinEnabled: false,
      sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(async () => microphone),
      sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers, iceTransportPolicy } },
      delegate: {
        onInvite: (invitation) => invitation.reject({ statusCode: 486 }),
        onDisconnect: () => this.end("failed", { reason: "lost" }),
      },
    });
    const { transport } = this.#agent;
    const receive = transport.onMessage;
    transport.onMessage = (message) => receive(understood(message));
    this.#registerer = new Registerer(this.#agent);
  }

  async run() {
    this.#onState("connecting");
    try {
      await this.#agent.start();
      if (!(await this.#registered()) || this.#over) return;
      await this.#invite();
    } catch {
      this.end("failed", { reason: "unreachable" });
    }
  }

  end(state, detail) {
    if (this.#over) return;
    this.#over = true;
    this.#onState(state, detail);
    this.#leave();
  }

  // Whether the registration is there.
  #registered() {
    return new Promise((done, failed) => {
      this.#registerer.stateChange.addListener((state) => state === RegistererState.Registered && done(true));
      const onReject = ({ message }) => {
        this.end("failed", { reason: "refused", status: message.statusCode });
        done(false);
      };
      this.#registerer.register({ requestDelegate: { onReject } }).catch(failed);
    });
  }

  async #invite() {
    const { applicationSid, realm } = this.#config.sip;
    this.#session = new Inviter(this.#agent, UserAgent.makeURI(`sip:app-${applicationSid}@${realm}`));
    this.#session.delegate = { onRefer: (referral) => referral.reject({ statusCode: 403 }) };
    this.#session.stateChange.addListener((state) => {
      if (state === SessionState.Established) this.#open();
      if (state === SessionState.Terminated && this.#opened) this.end("ended", { by: "desk" });
    });
    await this.#session.invite({
      requestDelegate: {
        onProgress: () => this.#over || this.#onState("ringing"),
        onReject: ({ message }) => this.end("failed", { reason: "refused", status: message.statusCode }),
      },
    });
  }

  // Audio can flow once ICE and DTLS are through.
  async #open() {
    this.#opened = true;
    const peer = this.#session.sessionDescriptionHandler.peerConnection;
    try {
      await connected(peer, () => this.end("failed", { reason: "lost" }));
      if (this.#over) return;
      this.#onState("in-call", { audio: new MediaStream(peer.getReceivers().map((receiver) => receiver.track)) });
    } catch {
      this.end("failed", { reason: "no-audio" });
    }
  }

  // The agent ends what is left of the call, gives the registration back, and closes.
  async #leave() {
    if (this.#session?.state === SessionState.Established) await this.#session.bye();
    await this.#agent.stop();
  }
}
