// A case: a lab, a visitor at its page, what they do, and that both are gone afterwards.
import { Visitor } from "./browser.mjs";
import { Lab } from "./lab.mjs";

// `labArgs` are further arguments of the lab, `visit` further options of the visit.
export function play({ labArgs = [], visit = {} }, doing) {
  return async ({ lab: binary, executable }) => {
    const lab = await Lab.start(binary, labArgs);
    try {
      const visitor = await Visitor.visit(lab, { executable, ...visit });
      try {
        await doing(visitor, lab);
      } finally {
        await visitor.leave();
      }
    } finally {
      await lab.stop();
    }
  };
}
