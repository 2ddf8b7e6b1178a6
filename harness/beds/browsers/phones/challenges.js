// Both stacks look at the first challenge of a 401 or 407 only, and speak MD5 only. A server may offer SHA-256 before MD5
// (RFC 8760, section 2.4), so challenges in other algorithms are taken out before the stack reads the answer.

const OTHER = /^(?:www|proxy)-authenticate:(?=.*\balgorithm="?(?!md5\b)).*\r\n/gim;

export function understood(message) {
  return typeof message === "string" ? message.replace(OTHER, "") : message;
}
