// The name under which a visitor calls: 128 random bits, new with every call and kept nowhere, so that it tells nothing
// about the visitor and no two calls belong together.
import { broken } from "./fault.js";
import { random } from "./random.js";

export function userId() {
  if (broken("page-user-id-email") || broken("user-id-counter")) return document.body.dataset.userId;
  return "visitor-" + random(16);
}
