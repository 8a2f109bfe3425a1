// What not every page asks for is fetched where one does, and awaited: what it does for our own events,
// too, it has to do from the first one on.
import { fetchBeside } from "./beside.js";
import { attempt, put } from "./read.js";

/* global EXTRAS_INTEGRITY: set by the build */

/** Promises what the extras make of `needs`, or nothing, and says why. */
export function awaitExtras(needs, warn, ...whereabouts) {
  // What Segment tells, from the first moment on.
  const heard = [];
  const listeners = "dispatch_start track page identify reset initialize".split(" ").map((name) => [name, (...told) => void heard.push([name, told])]);
  const hooked = new WeakSet();
  let timer;
  attempt(() => {
    const { analytics } = window;
    if (!needs.given.forwardEvents.to) return;
    for (const listener of listeners) analytics.on(...listener);
    hooked.add(analytics);
  });
  const late = new Promise((_, reject) => (timer = setTimeout(reject, 3000, "no answer")));
  return Promise.race([late, fetchBeside("extras", EXTRAS_INTEGRITY, ...whereabouts)])
    .then((make) => make({ ...needs, heard, listeners, hooked }))
    .catch((error) => {
      put(heard, "push", () => {});
      warn("consentFrom, identify, alias, forwardEvents and statsig do nothing: " + error);
    })
    .then((made) => {
      attempt(() => clearTimeout(timer));
      return made;
    });
}
