// The page's phone on JsSIP; the interface is that of harness/lab/src/page/phone.js.
import { UA, WebSocketInterface } from "jssip";

import { connected } from "../../../lab/src/page/media.js";
import { understood } from "./challenges.js";

export function place(config, { onState }) {
  const { sip, iceServers, iceTransportPolicy, microphone, userId } = config;
  const ua = new UA({
    sockets: [new Socket(sip.wsUri)],
    uri: `sip:${encodeURIComponent(userId)}@${sip.realm}`,
    authorization_user: sip.username,
    password: sip.password,
    session_timers: false,
  });
  let session = null;
  let over = false;
  const end = (state, detail) => {
    if (over) return;
    over = true;
    onState(state, detail);
    ua.stop(); // ends the call, gives the registration back, closes
  };
  const refused = ({ message, response = message }) =>
    end("failed", response ? { reason: "refused", status: response.status_code } : { reason: "unreachable" });

  ua.on("disconnected", () => end("failed", { reason: session ? "lost" : "unreachable" }));
  ua.on("registrationFailed", refused);
  ua.once("registered", () => {
    if (over) return;
    session = ua.call(`sip:app-${sip.applicationSid}@${sip.realm}`, {
      mediaStream: microphone,
      pcConfig: { iceServers, iceTransportPolicy },
      eventHandlers: {
        progress: () => over || onState("ringing"),
        failed: refused,
        ended: () => end("ended", { by: "desk" }),
        confirmed: ({ originator }) => originator === "local" && open(session.connection),
      },
    });
    session.on("refer", ({ reject }) => reject());
  });

  // Audio can flow once ICE and DTLS are through.
  const open = async (peer) => {
    try {
      await connected(peer, () => end("failed", { reason: "lost" }));
      if (over) return;
      onState("in-call", { audio: new MediaStream(peer.getReceivers().map((receiver) => receiver.track)) });
    } catch {
      end("failed", { reason: "no-audio" });
    }
  };

  onState("connecting");
  ua.start();
  return { hangUp: () => end("ended", { by: "visitor" }) };
}

class Socket extends WebSocketInterface {
  #receive = () => {};

  set ondata(receive) {
    this.#receive = receive;
  }

  get ondata() {
    return (message) => this.#receive(understood(message));
  }
}
