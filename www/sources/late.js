// Globals that come late.
import { attempt } from "../read.js";

const watched = new Set();

// Has `look` called, once for all, whenever the page sets this global: an accessor in its place
// tells at once, and nobody polls. What the page reads there is what it set. Answers with what is there.
export function late(name, look) {
  if (!watched.has(name)) attempt(() => watch(name, look));
  return window[name];
}

function watch(name, look) {
  watched.add(name);
  const own = Object.getOwnPropertyDescriptor(window, name);
  if (own && !own.writable) return;
  let value = window[name];
  // Throws where the page declared it with `var`: then the looks that are due anyway have to do.
  Object.defineProperty(window, name, {
    configurable: true,
    enumerable: true,
    get: () => value,
    set(next) {
      value = next;
      attempt(look);
    },
  });
}
