// The privacy notice, where the configuration has one: before the microphone, and once for each call.

const dialog = document.getElementById("notice");
const accept = document.getElementById("accept");
const decline = document.getElementById("decline");

// Whether the visitor accepts it. Escape declines; the browser gives the focus back to where it was.
export function accepted(notice, signal) {
  if (!notice || signal.aborted) return !signal.aborted;
  document.getElementById("notice-text").textContent = notice.text;
  accept.textContent = notice.submitButtonText || "Accept and call";
  decline.textContent = notice.cancelButtonText || "Cancel";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "accepted"), { once: true });
    signal.addEventListener("abort", () => dialog.close(), { once: true });
  });
}

accept.addEventListener("click", () => dialog.close("accepted"));
decline.addEventListener("click", () => dialog.close());
