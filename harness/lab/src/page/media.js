// The peer connection: an offer with every candidate in it, and when audio can flow.
import { broken, keptCertificate } from "./fault.js";

// A TURN server that is silent keeps a browser gathering for half a minute; what is there by then has to do.
const GATHERING_MS = 5_000;
// What a browser's own checks take at most before it gives up, and a bit.
const CONNECTING_MS = 30_000;

// A peer connection whose local description is a whole offer of the microphone, with a new certificate.
export async function offering(microphone, { iceServers, iceTransportPolicy }) {
  const certificates = broken("page-reuses-certificate") ? [await keptCertificate()] : undefined;
  const peer = new RTCPeerConnection({ iceServers, iceTransportPolicy, certificates });
  microphone.getTracks().forEach((track) => peer.addTrack(track, microphone));
  await peer.setLocalDescription();
  await new Promise((done) => {
    setTimeout(done, GATHERING_MS);
    const check = () => peer.iceGatheringState === "complete" && done();
    peer.addEventListener("icegatheringstatechange", check);
    check();
  });
  return peer;
}

// Waits for ICE and DTLS; `onLost` is called if they fail later on. Throws an error whose reason is "no-audio".
export function connected(peer, onLost) {
  return new Promise((done, failed) => {
    const give = () => failed(Object.assign(new Error("no audio"), { reason: "no-audio" }));
    const limit = setTimeout(give, CONNECTING_MS);
    const check = () => {
      const state = peer.connectionState;
      if (state === "connected") {
        clearTimeout(limit);
        peer.onconnectionstatechange = () => peer.connectionState === "failed" && onLost();
        done();
      } else if (state === "failed" || state === "closed") {
        clearTimeout(limit);
        give();
      }
    };
    peer.onconnectionstatechange = check;
    check();
  });
}
