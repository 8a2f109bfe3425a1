// The report: what happened to the last decisions, how all of them ended, what went wrong. It tells
// the page's handlers and the console too.
import { wall } from "./clock.js";
import { shown as decisionShown, experimentOf, variationOf } from "./decision.js";
import { attempt, fault, oneOf } from "./read.js";

const LOG = "[decision-bridge] ";
const RECENT = 50;
const EVENTS = ["decision", "delivered", "dropped", "error"];

/** How a decision ends, in the order of the core. */
export const VERDICTS = "delivered duplicate not-an-exposure holdback preview qa no-consent invalid expired".split(" ");

export function makeReport() {
  const counts = {};
  for (const verdict of [...VERDICTS, "pending"]) counts[verdict] = 0;
  const recent = new Map();
  const lists = { error: [], warn: [] }; // by the console's methods
  const handlers = new Set();
  let telling; // whether the handlers of `error` are being told

  function note(what, message) {
    const list = lists[what];
    const known = list.find((entry) => entry.message === message);
    if (known) known.times++;
    else if (list.length <= RECENT) {
      // Nobody's console is flooded.
      const listed = list.length < RECENT ? message : "more of these are not listed";
      list.push({ message: listed, at: wall(), times: 1 });
      attempt(() => console[what](LOG + listed));
    }
    // What goes wrong within a handler of `error` is only listed: else it would never end.
    if (what !== "error" || telling) return;
    telling = true;
    try {
      fire(what, () => ({ message }));
    } finally {
      telling = false;
    }
  }

  function fire(event, told) {
    for (const [name, handler] of [...handlers]) if (name === event) attempt(() => handler(told()));
  }

  const shown = ({ decision, verdict, reason }) => ({ ...decisionShown(decision), verdict, ...(reason && { reason }) });

  const log = (id, told) => report.debug && attempt(() => console.log(LOG + "#" + id + " " + told));

  const report = {
    debug: false,
    error: (message) => attempt(() => note("error", message)),
    warn: (message) => attempt(() => note("warn", message)),

    /** A decision came in under this number. */
    came(id, decision) {
      counts.pending++;
      // The pending ones stay: their end will be told.
      for (const [old, { verdict }] of recent) {
        if (recent.size < RECENT) break;
        if (verdict !== "pending") recent.delete(old);
      }
      recent.set(id, { decision, steps: [], verdict: "pending" });
      report.step(id, "came in");
      fire("decision", () => shown(recent.get(id)));
    },

    /** Something happened to it that people may want to know. */
    step(id, step) {
      const { decision = {}, steps } = recent.get(id) || {};
      steps?.push({ at: wall(), step });
      log(id, (decision.experimentName || experimentOf(decision)) + " / " + (decision.variationName || variationOf(decision)) + ": " + step);
    },

    /** It has ended. */
    end(id, verdict, reason) {
      counts.pending--;
      counts[verdict]++;
      const entry = recent.get(id);
      if (entry) Object.assign(entry, { verdict, reason });
      log(id, verdict + ": " + reason);
      fire(verdict === "delivered" ? verdict : "dropped", () => (entry ? shown(entry) : { verdict, reason }));
    },

    on(event, handler) {
      const wrong = (place, came, wanted) => report.error(fault("on:", "argument " + place, came, wanted));
      const entry = [event, handler];
      if (!EVENTS.includes(event)) wrong(1, event, oneOf(EVENTS));
      else if (typeof handler !== "function") wrong(2, handler, "a function");
      else handlers.add(entry);
      return () => void handlers.delete(entry);
    },

    /** `told` is what others know. */
    diagnose(told) {
      const decisions = [...recent.values()].slice(-RECENT).map((entry) => ({ ...shown(entry), steps: [...entry.steps] }));
      const copy = (list) => list.map((entry) => ({ ...entry }));
      return { version: VERSION, ...told, counts: { ...counts }, decisions, warnings: copy(lists.warn), errors: copy(lists.error) };
    },
  };
  return report;
}
