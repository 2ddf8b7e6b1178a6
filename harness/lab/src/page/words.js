// What the page says: one sentence about where the call is, and one about what to do.

const STATES = {
  idle: ["Ready to call.", ""],
  microphone: ["Waiting for your microphone", "Your browser asks whether this page may use it. Please allow it."],
  connecting: ["Connecting", ""],
  ringing: ["Ringing", ""],
  "in-call": ["In a call", "The desk hears you."],
};

const FAILURES = {
  unreachable: ["The desk cannot be reached.", "Check your connection and call again."],
  lost: ["The connection was lost.", "Check your network and call again."],
  "no-audio": ["No way for the audio was found.", "Something is in between: try another network."],
  "too-many": ["Too many calls came from your network.", "Wait a minute, then call again."],
  busy: ["The desk is busy.", "Please call again in a few minutes."],
  unanswered: ["The desk does not answer.", "Please call again later."],
  refused: ["The desk did not take the call.", "Load the page again and call once more."],
  NotAllowedError: ["The microphone is blocked.", "Allow it beside the page's address, then call again."],
  NotFoundError: ["No microphone was found.", "Connect one and call again."],
  NotReadableError: ["The microphone is in use elsewhere.", "Close the other program and call again."],
  other: ["The call failed.", "Load the page again and call once more."],
};

// `detail` is what the phone said of the state, and how many seconds the call has lasted, if it was answered.
export function wordsFor(state, detail) {
  const [what, hint] = state === "ended" ? ended(detail) : state === "failed" ? failed(detail) : STATES[state];
  return { what, hint };
}

// 0:07, 12:34, 1:02:03
export function lengthOf(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function ended({ by, seconds }) {
  const what = by === "desk" ? "The desk has hung up." : "The call has ended.";
  return [what, seconds === null ? "" : `It lasted ${lengthOf(seconds)}.`];
}

function failed({ reason, status }) {
  const because = reason === "refused" ? refusal(status) : reason;
  return Object.hasOwn(FAILURES, because) ? FAILURES[because] : FAILURES.other;
}

// RFC 3261, section 21.
function refusal(status) {
  if (status === 486 || status === 600) return "busy";
  if (status === 408 || status === 480 || status === 603) return "unanswered";
  return status >= 500 ? "unreachable" : "refused";
}
