// The visitor's name where a decision does not name its unit: it makes idempotency keys different for
// every visitor.
import { visitor as visitorOf } from "./sources/optimizely-web.js";
import { SITE } from "./store.js";

/** What the visitor is called, who was called so `before` on this page. */
export function nameVisitor(store, page, before) {
  const name = (store.read(SITE, "visitor") || before || visitorOf() || store.claim(page)).slice(0, 99);
  store.write(SITE, "visitor", name);
  return name;
}
