// What the lab has broken in this page: one thing at most, for the proof of the scenario that finds it.

export function broken(name) {
  return document.body.dataset.fault === name;
}

// page-reuses-certificate: one certificate for all calls of this browser profile, kept in IndexedDB.
export async function keptCertificate() {
  const opening = indexedDB.open("phone", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("certificates");
  const database = await result(opening);
  const store = (mode) => database.transaction("certificates", mode).objectStore("certificates");
  const kept = await result(store("readonly").get("own"));
  const certificate = kept ?? await RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" });
  if (!kept) await result(store("readwrite").put(certificate, "own"));
  database.close();
  return certificate;
}

// page-auto-answers: the answer to anybody's offer, with the visitor's microphone.
export async function answerAnybody(offer) {
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  const peer = new RTCPeerConnection();
  microphone.getTracks().forEach((track) => peer.addTrack(track, microphone));
  if (offer) await peer.setRemoteDescription({ type: "offer", sdp: offer });
  await peer.setLocalDescription();
  return peer.localDescription.sdp;
}

function result(request) {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}
