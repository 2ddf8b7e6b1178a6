// Digest logins with SHA-256 and qop=auth (RFC 8760). MD5 is not spoken.
import { hex, random } from "./random.js";

// The header field that answers a 401 or 407, or null where no SHA-256 is offered.
export async function authorization(answer, { method, uri }, { username, password }) {
  const fits = ([name, value]) => /-authenticate$/i.test(name) && /algorithm="?sha-256"?(,|\s|$)/i.test(value);
  const asked = answer.fields.find(fits);
  if (!asked) return null;
  const get = (name) => asked[1].match(new RegExp(`\\b${name}="([^"]*)"`, "i"))?.[1] ?? "";
  const [realm, nonce, cnonce, nc] = [get("realm"), get("nonce"), random(16), "00000001"];
  const secret = await sha256(`${username}:${realm}:${password}`);
  const request = await sha256(`${method}:${uri}`);
  const response = await sha256([secret, nonce, nc, cnonce, "auth", request].join(":"));
  const field = /^www/i.test(asked[0]) ? "Authorization" : "Proxy-Authorization";
  return `${field}: Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
    `response="${response}", algorithm=SHA-256, qop=auth, nc=${nc}, cnonce="${cnonce}"`;
}

async function sha256(text) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}
