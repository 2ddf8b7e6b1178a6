// Runs in the page before its own scripts: keeps what the page opens, so that the test can ask it later. It changes
// nothing that the page does.

/* global window, document, navigator, sessionStorage, localStorage, indexedDB */
export function watch() {
  const seen = { peers: [], tracks: [], violations: [] };
  document.addEventListener("securitypolicyviolation", (event) => seen.violations.push(event.violatedDirective));
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...settings) {
      super(...settings);
      seen.peers.push(this);
    }
  };
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    seen.tracks.push(...stream.getTracks());
    return stream;
  };
  window.seen = {
    violations: () => seen.violations,
    peers: () => seen.peers.length,
    // Of every track that was ever opened.
    microphones: () => seen.tracks.map((track) => track.readyState),
    policy: () => seen.peers.at(-1).getConfiguration().iceTransportPolicy,
    fingerprints: () => seen.peers.map((peer) => peer.localDescription?.sdp.match(/a=fingerprint:(.*)/)?.[1].trim()),
    // What the last peer connection says of itself.
    statistics: async () => {
      const stats = [...(await seen.peers.at(-1).getStats()).values()];
      const one = (type) => stats.find((stat) => stat.type === type) ?? {};
      const transport = one("transport");
      const pair = stats.find((stat) => stat.id === transport.selectedCandidatePairId) ?? {};
      return {
        dtlsState: transport.dtlsState,
        tlsVersion: transport.tlsVersion,
        srtpCipher: transport.srtpCipher,
        dtlsCipher: transport.dtlsCipher,
        local: stats.find((stat) => stat.id === pair.localCandidateId)?.candidateType,
        sent: one("outbound-rtp").bytesSent ?? 0,
        received: one("inbound-rtp").bytesReceived ?? 0,
        heard: one("inbound-rtp").totalAudioEnergy ?? 0,
      };
    },
    stored: async () => ({
      local: Object.keys(localStorage),
      session: Object.keys(sessionStorage),
      databases: (await indexedDB.databases()).map(({ name }) => name),
      cookies: document.cookie,
    }),
  };
}
