// Globals that come late.
import { attempt } from "../read.js";

// Has `look` called whenever the page sets this global: an accessor in its place tells at once, and nobody
// polls. What the page reads there is what it set. Answers with what is there.
export function late(name, look) {
  let value = window[name];
  attempt(() => {
    const own = Object.getOwnPropertyDescriptor(window, name);
    // It may be ours. Throws where the page declared it with `var`: then the looks that are due anyway
    // have to do.
    const set = (next) => {
      value = next;
      attempt(look);
    };
    if (!own || own.writable) Object.defineProperty(window, name, { get: () => value, set, enumerable: true, configurable: true });
  });
  return value;
}
