// Real calls: Debian's Chromium on the lab's page, with the page's own phone, with JsSIP and with SIP.js.
//   node calls.mjs --lab PATH/TO/ringfence [--chromium PATH] [--only TEXT] [--list]
// Each case has a lab and a browser of its own. Prints a line for each that passed, and ends with 1 if one did not.
import { parseArgs } from "node:util";

import { calls } from "./cases/calls.mjs";
import { faults } from "./cases/faults.mjs";
import { manners } from "./cases/manners.mjs";
import { troubles } from "./cases/troubles.mjs";

// One case, and all of them; each takes a few seconds.
const CASE_MS = 180_000;
const RUN_MS = 900_000;
// More would wait for processors, and take as long.
const AT_ONCE = 2;

const { values } = parseArgs({
  options: {
    lab: { type: "string" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    only: { type: "string", default: "" },
    list: { type: "boolean", default: false },
  },
});
const cases = [...calls, ...troubles, ...manners, ...faults].filter(({ name }) => name.includes(values.only));
if (values.list) cases.forEach(({ name }) => console.log(name));
else process.exit((await run(cases)) ? 0 : 1); // not later: a case that was given up may still hold a lab or a browser

async function run(chosen) {
  if (!values.lab) throw new Error("--lab: the path of the ringfence binary");
  const waiting = [...chosen];
  const started = performance.now();
  let passed = 0;
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const left = RUN_MS - (performance.now() - started);
      if (await passes(next, Math.min(CASE_MS, left))) passed += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  console.log(`${passed} of ${chosen.length} passed`);
  return chosen.length > 0 && passed === chosen.length;
}

async function passes({ name, play }, ms) {
  const started = performance.now();
  let limit;
  const late = new Promise((_, failed) => (limit = setTimeout(() => failed(new Error("took too long")), ms)));
  try {
    await Promise.race([play({ lab: values.lab, executable: values.chromium }), late]);
    console.log(`passed: ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    return true;
  } catch (error) {
    console.log(`FAILED: ${name}\n${error.stack}`);
    return false;
  } finally {
    clearTimeout(limit);
  }
}
