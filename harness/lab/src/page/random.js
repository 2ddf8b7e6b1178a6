// Random text that nobody can guess.

// So many bytes, as hexadecimal digits.
export function random(bytes) {
  return hex(crypto.getRandomValues(new Uint8Array(bytes)));
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
