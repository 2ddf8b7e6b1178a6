// Runs first in every document and worker of the page, and changes nothing that a page would notice: functions stay
// native in their text, their members, `instanceof` and inheritance. What it sees goes out through a binding that is taken
// off the global object before the page's first script; what it is told comes in as an event that only it listens for.
((name, limits) => {
  "use strict";
  const scope = globalThis;
  const binding = scope[name];
  if (typeof binding !== "function") return;
  delete scope[name];

  // The page may change any of these later.
  const { stringify, parse } = JSON;
  const { apply, construct, defineProperty, getOwnPropertyDescriptor } = Reflect;
  const { Proxy, ArrayBuffer, TextDecoder, MessageEvent, WebSocket, RTCPeerConnection } = scope;
  const listen = EventTarget.prototype.addEventListener;
  const dispatch = EventTarget.prototype.dispatchEvent;
  const decoder = new TextDecoder();
  const decode = decoder.decode.bind(decoder);
  const text = (value) => "" + value;

  let reports = 0;
  const report = (fact) => {
    if (reports < limits.reports) binding(stringify(fact));
    if (reports === limits.reports) binding('{"is":"full"}');
    reports++;
  };
  report({ is: "here" });
  // A fault in here must never reach the page.
  const quietly = (action) => {
    try { return action(); } catch { return undefined; }
  };

  // Puts a proxy in the place of a function. `handler` gets the function.
  const wrap = (owner, key, handler) => quietly(() => {
    const place = owner && getOwnPropertyDescriptor(owner, key);
    if (!place || typeof place.value !== "function") return;
    place.value = new Proxy(place.value, handler);
    defineProperty(owner, key, place);
    return place.value;
  });
  const wrapMethod = (owner, key, before) => wrap(owner, key, {
    apply(method, self, given) {
      const stop = quietly(() => before(self, given));
      return stop === true ? undefined : apply(method, self, given);
    },
  });
  const wrapClass = (keys, made) => {
    const native = scope[keys[0]];
    if (typeof native !== "function") return;
    const proxy = new Proxy(native, {
      construct(target, given, asked) {
        const object = construct(target, given, asked === proxy ? target : asked);
        quietly(() => made(object, given));
        return object;
      },
    });
    for (const key of keys) {
      const place = getOwnPropertyDescriptor(scope, key);
      if (place && place.value === native) defineProperty(scope, key, { ...place, value: proxy });
    }
    const place = getOwnPropertyDescriptor(native.prototype, "constructor");
    if (place && place.value === native) defineProperty(native.prototype, "constructor", { ...place, value: proxy });
  };

  // Peer connections.
  const peers = [];
  const numbers = new WeakMap();
  const prototype = RTCPeerConnection && RTCPeerConnection.prototype;
  const getter = (key) => prototype && getOwnPropertyDescriptor(prototype, key)?.get;
  const read = {
    connection: getter("connectionState"), ice: getter("iceConnectionState"), signalling: getter("signalingState"),
    local: getter("localDescription"), remote: getter("remoteDescription"),
  };
  const getSenders = prototype?.getSenders;
  const getConfiguration = prototype?.getConfiguration;
  const getStats = prototype?.getStats;

  const servers = (peer) => {
    const known = apply(getConfiguration, peer, []);
    const urls = (server) => [].concat(server.urls ?? server.url ?? []).slice(0, limits.servers).map(text);
    return {
      policy: known.iceTransportPolicy,
      servers: (known.iceServers ?? []).slice(0, limits.servers).map((server) => ({
        urls: urls(server), username: server.username, credential: server.credential,
      })),
    };
  };
  const describe = (peer) => {
    const sdp = (description) => description && { type: description.type, sdp: description.sdp.slice(0, limits.sdp) };
    return {
      is: "peer", number: numbers.get(peer), state: apply(read.connection, peer, []), ice: apply(read.ice, peer, []),
      local: sdp(apply(read.local, peer, [])), remote: sdp(apply(read.remote, peer, [])),
      sends: apply(getSenders, peer, []).some(({ track }) => track?.kind === "audio" && track.readyState === "live"),
    };
  };
  wrapClass(["RTCPeerConnection", "webkitRTCPeerConnection"], (peer) => {
    if (peers.length >= limits.peers) return;
    numbers.set(peer, peers.push(peer));
    report({ is: "opened", number: numbers.get(peer), ...servers(peer) });
    for (const event of ["signalingstatechange", "connectionstatechange", "iceconnectionstatechange"]) {
      apply(listen, peer, [event, () => quietly(() => report(describe(peer)))]);
    }
    apply(listen, peer, ["icecandidate", ({ candidate }) => quietly(() => {
      if (candidate?.type) report({ is: "gathered", number: numbers.get(peer), type: candidate.type });
    })]);
  });
  wrap(prototype, "setConfiguration", {
    apply(method, self, given) {
      const result = apply(method, self, given);
      quietly(() => report({ is: "opened", number: numbers.get(self), ...servers(self) }));
      return result;
    },
  });
  wrapMethod(prototype, "addIceCandidate", (self, [candidate]) => {
    const line = typeof candidate?.candidate === "string" ? candidate.candidate : "";
    report({ is: "candidate", number: numbers.get(self), line: line.slice(0, limits.line) });
  });
  const wanted = ["transport", "certificate", "candidate-pair", "local-candidate", "inbound-rtp", "outbound-rtp"];
  const statistics = () => peers.forEach((peer) => quietly(() => {
    const state = apply(read.connection, peer, []);
    if (state === "closed") return;
    report(describe(peer));
    // Chromium keeps the certificates that it first told: asked before the handshake, it would never tell the far side's.
    if (state !== "connected") return;
    apply(getStats, peer, []).then((all) => {
      const stats = [];
      all.forEach((entry) => { if (wanted.includes(entry.type) && stats.length < limits.stats) stats.push(entry); });
      report({ is: "stats", number: numbers.get(peer), stats });
    }, () => {});
  }));

  // The microphone.
  const captured = (_, [constraints]) => {
    if (constraints?.audio) report({ is: "capture" });
  };
  wrapMethod(scope.MediaDevices?.prototype, "getUserMedia", captured);
  wrapMethod(scope.Navigator?.prototype, "getUserMedia", captured);
  wrapMethod(scope.Navigator?.prototype, "webkitGetUserMedia", captured);

  // WebSockets that carry SIP, and answers to what was put into them.
  const sockets = [];
  const rules = [];
  const readable = (data) => {
    if (typeof data === "string") return data;
    if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return decode(data);
    return "";
  };
  const isSip = (message) => /^\S+ \S+ SIP\/2\.0\r?\n|^SIP\/2\.0 /.test(message);
  wrapClass(["WebSocket"], () => {});
  wrapMethod(WebSocket?.prototype, "send", (socket, [data]) => {
    const message = readable(data);
    if (!isSip(message)) return false;
    if (!sockets.includes(socket)) sockets.push(socket);
    if (sockets.length > limits.sockets) sockets.shift();
    const ours = rules.some((tokens) => tokens.every((token) => message.includes(token)));
    if (ours) report({ is: "swallowed", text: message.slice(0, limits.sdp) });
    return ours;
  });

  const told = {
    statistics,
    // Everything that holds all the tokens of one rule is an answer to us.
    swallow({ tokens }) { rules.push(tokens.map(text)); },
    inject({ data }) {
      const open = sockets.filter((socket) => socket.readyState === 1).pop();
      report({ is: "injected", delivered: open !== undefined });
      if (open) apply(dispatch, open, [new MessageEvent("message", { data, origin: new URL(open.url).origin })]);
    },
  };
  apply(listen, scope, [name, (event) => {
    event.stopImmediatePropagation();
    quietly(() => {
      const order = parse(event.detail);
      told[order.do](order);
    });
  }, true]);
})
