// A tool's only slot for a callback, shared with the page: whatever the page puts in, now or later,
// is called as ever, and we hear the arguments. An accessor, because most pages set theirs without
// looking whether one is there.
import { attempt } from "../read.js";

// `heard(arguments, alone)`; `alone` says that the page has no callback there. The promise it may
// give holds up the callback's own answer. The answer of `share` leaves the slot as it would be
// without us.
export function share(object, name, heard) {
  const own = Object.getOwnPropertyDescriptor(object, name);
  const first = object[name];
  let assigned;
  let shared;
  let on = true;
  // A callback of its own for each that is put in: one that was wrapped around ours still ends.
  const set = (callback) => {
    assigned = callback;
    const alone = typeof callback !== "function";
    shared = function (...args) {
      const wait = on && attempt(() => heard(args, alone));
      const answer = alone ? undefined : callback.apply(this, args);
      return wait ? Promise.all([answer, wait]) : answer;
    };
  };
  set(first);
  Object.defineProperty(object, name, { get: () => shared, set, enumerable: true, configurable: true });
  return () => {
    on = false;
    delete object[name];
    if (own || assigned !== first) object[name] = assigned;
  };
}
