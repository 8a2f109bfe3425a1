// The destinations on this page: in which state each was found, and for how long it was waited for.
import { steady } from "./clock.js";
import { DESTINATIONS } from "./destinations.js";
import { MISSING, READY, STATES } from "./destinations/state.js";
import { attempt } from "./read.js";

/** Knows them by their places; `warn` tells the console. */
export function makeWatch(warn) {
  const seen = DESTINATIONS.map(() => ({ state: MISSING }));

  return {
    /** The state in which it was found last. */
    state: (index) => seen[index].state,

    /** Looks for it; answers with its state. */
    look(index) {
      const found = seen[index];
      found.since ??= steady();
      if (STATES[found.state] !== "ready") found.waited = steady() - found.since;
      found.state = attempt(() => DESTINATIONS[index].state(found.blocked)) || MISSING;
      // What is there and confirms nothing is another library that speaks Segment's language.
      if (!index && found.state === READY) warn("window.analytics is not Segment's: told the same way");
      return found.state;
    },

    /** Its script could not be loaded. */
    block(index) {
      seen[index].blocked = true;
      warn("the script of " + DESTINATIONS[index].kind + " could not be loaded");
    },

    /** Says which of these are missed. */
    warnOfParking(targets, { destinations }) {
      const rest = " after maxWaitMs: decisions wait for the next page";
      // Of those that were only looked for, nobody misses one when another is there.
      const missed = targets.filter((index) => seen[index].state !== MISSING || destinations !== "auto");
      if (!missed.length) warn("no analytics tool is found" + rest);
      for (const index of missed) {
        const state = STATES[seen[index].state];
        if (state !== "ready") warn(DESTINATIONS[index].kind + " is " + state + (state === "stub" ? " (blocked?)" : "") + rest);
      }
    },

    /** As the report tells it. */
    shown: (index) => ({ name: DESTINATIONS[index].kind, state: STATES[seen[index].state], waitedMs: Math.floor(seen[index].waited) }),
  };
}
