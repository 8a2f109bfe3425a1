// The visitor's name where a decision does not name its unit: it makes idempotency keys different for
// every visitor.
import { visitor as visitorOf } from "./sources/optimizely-web.js";
import { SITE } from "./store.js";

/** What the visitor is called, who was called so before. Another tab may have had the last word. */
export function nameVisitor(store, page, before, granted) {
  const stored = store.read(SITE, "visitor");
  if (stored || !granted) return stored || before;
  const name = before || visitorOf(window.optimizely) || store.claim(page);
  store.write(SITE, "visitor", name);
  return name;
}
