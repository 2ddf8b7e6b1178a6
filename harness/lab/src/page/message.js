// SIP messages, written and read (RFC 3261, section 7): long field names, one field a line, as the desk writes them.

// Characters of the longest message that is read.
export const MAX_MESSAGE = 65_536;

export function written(start, headers, body) {
  const length = new TextEncoder().encode(body).length;
  return [start, ...headers, `Content-Length: ${length}`, "", body].join("\r\n");
}

// Gives { start, method, status, fields, field(name), body }; null for a keep-alive and what is no message.
export function parse(text) {
  const end = text.indexOf("\r\n\r\n");
  if (end <= 0) return null;
  const [start, ...lines] = text.slice(0, end).split("\r\n");
  const fields = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  const field = (name) => fields.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
  const [first, second] = start.split(" ");
  const status = first === "SIP/2.0" ? Number(second) : 0;
  return { start, method: status ? null : first, status, fields, field, body: text.slice(end + 4) };
}

// The URI of a Contact: in angle brackets, or up to the first parameter.
export function uriIn(field) {
  return field?.match(/<([^>]*)>/)?.[1] ?? field?.split(";")[0];
}

// What an answer repeats of its request, with our tag if it had none. RFC 3261, section 8.2.6.2.
export function headersOfAnswer(request, tag) {
  const repeated = request.fields.filter(([name]) => /^(via|from|to|call-id|cseq)$/i.test(name));
  return repeated.map(([name, value]) => {
    const untagged = /^to$/i.test(name) && !/;\s*tag=/i.test(value);
    return `${name}: ${value}${untagged ? `;tag=${tag}` : ""}`;
  });
}
