// The dedupe period: what is a duplicate within it is new in the next. A session, as analytics tools
// count it, ends when for some time there was neither a page nor a decision. Its marks say what was last
// handed over to a destination for a dedupe key.
import { wall } from "./clock.js";
import { DESTINATIONS } from "./destinations.js";
import { PAGE, SITE, TAB } from "./store.js";

export function makeSession(store, page) {
  let shelf = PAGE; // where the running period and its marks are kept
  let last; // when there was last a page or a decision, as far as it is written down
  const markOf = ({ key }, index) => "seen/" + key + "/" + DESTINATIONS[index].kind;

  const session = {
    /** The running period. */
    period: page,

    /** Continues the running period, or begins one; answers with it. */
    continue({ dedupe, sessionTimeoutMs }, granted) {
      const now = wall();
      const bySession = dedupe === "session";
      shelf = dedupe === "visitor" || bySession ? SITE : dedupe === "tab" ? TAB : PAGE;
      if (dedupe === "visitor") return (session.period = dedupe);
      if (!granted || shelf === PAGE) return (session.period = page);
      const timeout = bySession ? sessionTimeoutMs : Infinity;
      // Every page and decision counts, but not each has to be written down to the millisecond.
      if (now >= last && now - last < Math.min(timeout / 10, 30000)) return session.period;
      const [, id, before] = /^(\S{1,64}) (\d+)$/.exec(store.read(shelf, "session")) || [];
      // A clock that was set back does not end it.
      const runs = id && now - before <= timeout;
      // Two tabs that open at the same time both begin it, before one sees what the other wrote: they
      // have to come to the same name. No two sessions of a visitor begin within one timeout.
      session.period = runs ? id : bySession ? String(Math.floor(now / timeout)) : page;
      last = now;
      store.write(shelf, "session", session.period + " " + now);
      if (!runs) for (const name of store.names(shelf, "seen/")) store.remove(shelf, name);
      return session.period;
    },

    /** What comes next begins another one. */
    end: () => (last = undefined),

    /** The mark for the key of an item: [occurrence, outcome], or nothing that is of this period. */
    recall(item, index) {
      const [period, occurrence, outcome] = store.read(shelf, markOf(item, index)).split(" ");
      return period === session.period ? [occurrence >>> 0, outcome] : [];
    },

    /** Marks what was handed over. The mark of something younger stays. */
    remember(item, index, occurrence) {
      const [last] = session.recall(item, index);
      if (!(last > occurrence)) store.write(shelf, markOf(item, index), [session.period, occurrence, item.outcome].join(" "));
    },

    /** Removes this very mark. */
    forget(item, index, occurrence) {
      const [last, outcome] = session.recall(item, index);
      if (last === occurrence && outcome === item.outcome) store.remove(shelf, markOf(item, index));
    },
  };
  return session;
}
