// What a page left behind, read in a world of its own: storage of the document's origin, and the document itself.
(async (limits) => {
  const out = { storage: [], document: [], cut: false };
  let left = limits.bytes;
  const add = (list, place, text) => {
    text = String(text);
    left -= text.length;
    if (left < 0 || list.length >= limits.entries) { out.cut = true; return; }
    if (text) list.push([place, text]);
  };
  // What comes too late, or is more than is read, may be what is looked for.
  const slow = new Error("slow");
  const quietly = async (action) => {
    try { await action(); } catch (error) { if (error === slow) out.cut = true; /* else no such storage for this origin */ }
  };
  const first = (list, count) => {
    if (list.length > count) out.cut = true;
    return list.slice(0, count);
  };
  const within = (promise, ms) => Promise.race([promise, new Promise((_, no) => setTimeout(() => no(slow), ms))]);
  const done = (request) => new Promise((yes, no) => { request.onsuccess = () => yes(request.result); request.onerror = no; });

  // Any value as text, with bytes as the text that they may be.
  const seen = new Set();
  const flat = (value, depth) => {
    if (value === null || typeof value !== "object") return String(value);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return new TextDecoder().decode(value);
    if (seen.has(value)) return "";
    if (depth > limits.depth) { out.cut = true; return ""; }
    seen.add(value);
    const entries = value instanceof Map || value instanceof Set ? [...value.entries()] : Object.entries(value);
    return first(entries, limits.items).map(([key, inner]) => flat(key, depth + 1) + "=" + flat(inner, depth + 1)).join("\n");
  };

  await quietly(() => Object.entries(localStorage).forEach((entry) => add(out.storage, "local-storage", entry.join("="))));
  await quietly(() => Object.entries(sessionStorage).forEach((entry) => add(out.storage, "session-storage", entry.join("="))));
  await quietly(() => add(out.storage, "cookie", document.cookie));
  await quietly(() => within((async () => {
    for (const { name } of first(await indexedDB.databases(), 32)) {
      const base = await done(indexedDB.open(name));
      base.onversionchange = () => base.close();
      try {
        for (const store of first([...base.objectStoreNames], 64)) {
          const held = base.transaction(store).objectStore(store);
          const all = [done(held.getAllKeys(null, limits.items + 1)), done(held.getAll(null, limits.items + 1))];
          const [keys, values] = await Promise.all(all);
          add(out.storage, "indexed-db", store + "\n" + flat(keys, 0) + "\n" + flat(values, 0));
        }
      } finally { base.close(); }
    }
  })(), limits.ms));
  await quietly(() => within((async () => {
    for (const name of first(await caches.keys(), 32)) {
      const cache = await caches.open(name);
      for (const request of first(await cache.keys(), limits.items)) {
        const answer = await cache.match(request);
        // Programs and pictures that a page keeps for later are none of its visitor's data.
        const kept = /^(image|font|audio|video|text\/css|text\/javascript|application\/(javascript|wasm))/;
        const data = answer && !kept.test(answer.headers.get("content-type") ?? "");
        add(out.storage, "cache", request.url + "\n" + (data ? await answer.text() : ""));
      }
    }
  })(), limits.ms));

  // Text of scripts is left out: that is how a page may get its configuration, and no place where it leaves one.
  let nodes = 0;
  const walk = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (++nodes > limits.entries) { out.cut = true; return; }
      if (node.nodeType === Node.TEXT_NODE) {
        if (!/^(SCRIPT|STYLE)$/i.test(node.parentNode?.nodeName ?? "")) add(out.document, "text", node.data.trim());
      } else if (node.nodeType === Node.ELEMENT_NODE) {
        for (const { name, value } of node.attributes) add(out.document, "attribute", name + "=" + value);
        if ("value" in node && typeof node.value === "string") add(out.document, "text", node.value);
        if (node.shadowRoot) walk(node.shadowRoot);
      }
    }
  };
  await quietly(() => walk(document));
  return JSON.stringify(out);
})
