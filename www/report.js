// The report: what happened to the last decisions, how all of them ended, what went wrong. It tells
// the page's handlers and the console too, and outlives an instance of the module that dies.
import { attempt } from "./page.js";

const LOG = "[decision-bridge] ";
const RECENT = 50;
const EVENTS = ["decision", "delivered", "dropped", "error"];
const VERDICTS = "delivered duplicate not-an-exposure holdback preview qa no-consent invalid expired".split(" ");

const spelled = (value) => attempt(() => JSON.stringify(value)) || typeof value;

export function makeReport(version) {
  const counts = {};
  for (const verdict of VERDICTS) counts[verdict] = 0;
  counts.pending = 0;
  const recent = new Map();
  const lists = { error: [], warning: [] };
  const handlers = [];
  let debug = false;

  function note(what, text) {
    const list = lists[what];
    const known = list.find(({ message }) => message === text);
    if (known) known.times++;
    else if (list.length <= RECENT) {
      // Nobody's console is flooded.
      const listed = list.length < RECENT ? text : "more of these are not listed";
      list.push({ message: listed, at: Date.now(), times: 1 });
      attempt(() => console[what === "error" ? "error" : "warn"](LOG + listed));
    }
    if (what === "error") fire("error", () => ({ message: text }));
  }

  function fire(event, told) {
    for (const [name, handler] of handlers.slice()) {
      if (name === event) attempt(() => handler(told()));
    }
  }

  function tell(what, id, text) {
    if (what === "debug") return void (debug = true);
    if (lists[what]) return note(what, text);
    const at = Date.now();
    if (what === "decision") {
      counts.pending++;
      // The pending ones stay: their end will be told.
      for (const [old, { verdict }] of recent) {
        if (recent.size < RECENT) break;
        if (verdict !== "pending") recent.delete(old);
      }
      recent.set(id, { text, steps: [{ at, step: "came in" }], verdict: "pending" });
    }
    const entry = recent.get(id);
    if (what === "step") {
      if (entry) entry.steps.push({ at, step: text });
    } else if (what !== "decision") {
      counts.pending--;
      counts[what]++;
      if (entry) Object.assign(entry, { verdict: what, reason: text });
    }
    if (debug) log(entry, id, what === "decision" ? "came in" : what === "step" ? text : what + ": " + text);
    const event = what === "decision" || what === "delivered" ? what : what === "step" ? "" : "dropped";
    fire(event, () => (entry ? shown(entry) : { verdict: what, reason: text }));
  }

  function log(entry, id, text) {
    const { experimentName, experimentKey, experimentId, variationName, variationKey, variationId } = entry ? shown(entry) : {};
    const what = (experimentName || experimentKey || experimentId) + " / " + (variationName || variationKey || variationId);
    attempt(() => console.log(LOG + "#" + id + " " + what + " — " + text));
  }

  function shown({ text, verdict, reason }) {
    const told = { ...JSON.parse(text), verdict };
    if (reason) told.reason = reason;
    return told;
  }

  return {
    tell: (what, id, text) => attempt(() => tell(what, id, text)),

    on(event, handler) {
      const wrong = (place, came, wanted) => note("error", "on: argument " + place + " is " + spelled(came) + ", must be " + wanted);
      if (!EVENTS.includes(event)) wrong(1, event, EVENTS.map(spelled).join(" or "));
      else if (typeof handler !== "function") wrong(2, handler, "a function");
      else {
        const entry = [event, handler];
        handlers.push(entry);
        return () => {
          const at = handlers.indexOf(entry);
          if (at >= 0) handlers.splice(at, 1);
        };
      }
      return () => {};
    },

    // `told` is the module's part.
    diagnose(told) {
      const decisions = [...recent.values()].slice(-RECENT).map((entry) => ({ ...shown(entry), steps: entry.steps.slice() }));
      const copy = (list) => list.map((entry) => ({ ...entry }));
      const both = { counts: { ...counts }, decisions, warnings: copy(lists.warning), errors: copy(lists.error) };
      return { version, ...told, ...both };
    },

    // What is pending comes in again.
    restart() {
      counts.pending = 0;
      for (const [id, { verdict }] of recent) if (verdict === "pending") recent.delete(id);
    },
  };
}
