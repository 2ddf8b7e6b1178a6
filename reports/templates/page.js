"use strict";
// Conveniences only: the page says everything without them.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  document.documentElement.classList.add("scripts");

  const search = document.getElementById("search");
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    const results = all(".result");
    for (const result of results) {
      result.hidden = wanted !== "" && !result.textContent.toLowerCase().includes(wanted);
    }
    const shown = results.filter((result) => !result.hidden).length;
    document.getElementById("found").textContent = wanted === "" ? "" : shown + " of " + results.length + " results below";
  });

  const unfold = document.getElementById("unfold");
  unfold.addEventListener("click", () => {
    const open = unfold.textContent === "Unfold all";
    for (const part of all("details")) part.open = open;
    unfold.textContent = open ? "Fold all" : "Unfold all";
  });

  for (const button of all(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  document.getElementById("download").addEventListener("click", () => {
    const text = document.getElementById("report").textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "report.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 0);
  });

  // A link into a folded part unfolds it; paper shows everything.
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    for (const part of folded) part.open = true;
    for (const result of all(".result")) result.hidden = false;
  });
  addEventListener("afterprint", () => { for (const part of folded) part.open = false; });
})();
