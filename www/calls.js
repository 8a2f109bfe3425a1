// The calls that come in. Each is kept here, where nothing that befalls the module can reach it, until
// the module has written down what it brought, or has told how it ended.
import { attempt } from "./page.js";

const ROOM = 2000;
const NESTED = 1000; // decisions that come while we call the page
const DECIDES = /^(track|decided)/;
const NEEDED = Array(9000); // as arguments they take the stack that a call may need

// An entry is [method, arguments, time, whether it told of a decision, how many instances died of it].
export function makeCalls(report, wall) {
  const waiting = []; // for an instance
  const open = new Map(); // by the number of the decision, until it is safe
  const inside = []; // the module, the innermost last
  let invoke; // the module's `call`, while it runs
  let nested = 0;

  function pass(entry) {
    const decides = DECIDES.test(entry[0]);
    if (inside.length && decides && (inside.length > 50 || ++nested > NESTED)) {
      return report.tell("warning", 0, "each event makes the page decide more, without end: the rest is dropped");
    }
    // What comes from within a call is answered at once; what follows those that wait, waits too.
    if (invoke && (inside.length || !waiting.length) && roomy()) return perform(entry);
    // However many decisions there are, what starts us always passes.
    if (waiting.length < ROOM || !(decides || entry[0] === "forward")) {
      entry[1] = entry[1].map(snapshot);
      waiting.push(entry);
      Promise.resolve().then(drain);
    } else report.tell("warning", 0, "more than " + ROOM + " calls came while the module was not running: the rest is lost");
  }

  function drain() {
    while (invoke && waiting.length && roomy()) attempt(() => perform(waiting.shift()));
  }

  function perform(entry) {
    const depth = inside.length;
    inside.push(entry);
    try {
      return invoke(entry[0], entry[1], entry[2] || wall());
    } finally {
      inside.length = depth;
    }
  }

  return {
    pass,
    waiting,
    ask: (method) => invoke && invoke(method, [], 0),

    // What the module tells on its way to the report.
    tell(what, id, text) {
      const entry = inside[inside.length - 1];
      if (what !== "decision") what === "step" || open.delete(id);
      else if (entry && DECIDES.test(entry[0])) {
        entry[3] = true;
        open.set(id, entry);
      }
      if (what !== "kept") report.tell(what, id, text);
    },

    begin(call) {
      invoke = call;
      drain();
    },

    // The instance has died. The next one is told `first`, then what this one left undone; but no
    // second time what an instance died of twice.
    end(first) {
      if (!invoke) return;
      invoke = undefined;
      const left = [...open.values()];
      for (const entry of inside) {
        entry[4] = (entry[4] || 0) + 1;
        if (!entry[3] && DECIDES.test(entry[0])) left.push(entry);
      }
      open.clear();
      const again = [...new Set(left)].filter((entry) => !(entry[4] > 1));
      for (const entry of again) entry[1] = entry[1].map(snapshot);
      waiting.unshift(...first, ...again);
      report.restart();
    },
  };
}

// Where the stack is nearly used up nothing is begun that could not be finished.
function roomy() {
  return attempt(() => {
    (() => {}).apply(0, NEEDED);
    return true;
  });
}

// The fields the page may change after the call are copied when it is made.
function snapshot(argument) {
  const plain = attempt(() => typeof argument === "object" && Object.getPrototypeOf(argument) === Object.prototype);
  return (plain && attempt(() => ({ ...argument }))) || argument;
}
