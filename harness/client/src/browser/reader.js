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
  const quietly = async (action) => { try { await action(); } catch { /* no such storage for this origin */ } };
  const within = (promise, ms) => Promise.race([promise, new Promise((_, no) => setTimeout(() => no(new Error("slow")), ms))]);
  const done = (request) => new Promise((yes, no) => { request.onsuccess = () => yes(request.result); request.onerror = no; });

  // Any value as text, with bytes as the text that they may be.
  const seen = new Set();
  const flat = (value, depth) => {
    if (value === null || typeof value !== "object") return String(value);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return new TextDecoder().decode(value.slice?.(0, limits.value) ?? value);
    if (depth > 8 || seen.has(value)) return "";
    seen.add(value);
    const entries = value instanceof Map || value instanceof Set ? [...value.entries()] : Object.entries(value);
    return entries.slice(0, 1000).map(([key, inner]) => flat(key, depth + 1) + "=" + flat(inner, depth + 1)).join("\n");
  };

  await quietly(() => Object.entries(localStorage).forEach((entry) => add(out.storage, "local-storage", entry.join("="))));
  await quietly(() => Object.entries(sessionStorage).forEach((entry) => add(out.storage, "session-storage", entry.join("="))));
  await quietly(() => add(out.storage, "cookie", document.cookie));
  await quietly(() => within((async () => {
    for (const { name } of (await indexedDB.databases()).slice(0, 32)) {
      const base = await done(indexedDB.open(name));
      base.onversionchange = () => base.close();
      try {
        for (const store of [...base.objectStoreNames].slice(0, 64)) {
          const held = base.transaction(store).objectStore(store);
          const [keys, values] = await Promise.all([done(held.getAllKeys(null, 1000)), done(held.getAll(null, 1000))]);
          add(out.storage, "indexed-db", store + "\n" + flat(keys, 0) + "\n" + flat(values, 0));
        }
      } finally { base.close(); }
    }
  })(), limits.ms));
  await quietly(() => within((async () => {
    for (const name of (await caches.keys()).slice(0, 32)) {
      const cache = await caches.open(name);
      for (const request of (await cache.keys()).slice(0, 256)) {
        const answer = await cache.match(request);
        add(out.storage, "cache", request.url + "\n" + (answer ? (await answer.text()).slice(0, limits.value) : ""));
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
