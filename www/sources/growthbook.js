// GrowthBook: shares the one tracking callback, and replays what was assigned before.
import { isComplete, make, take } from "../decision.js";
import { attempt, at, can } from "../read.js";
import { share } from "./slot.js";

const LONGEST_WAIT_MS = 1000; // as long as GrowthBook itself holds up a redirect
const queued = new Set();
let queue;
let listens;

export default {
  kind: "growthbook",
  wanted: "a GrowthBook instance",
  hooked: "trackingCallback",
  fits: (client) => can(client, "getAllResults") && !!client.context,
  find(named, look) {
    // Each new instance says so, in developer mode, which the script tag is in.
    if (!listens) document.addEventListener("gbloaded", look);
    listens = true;
    const found = (named ? (window.growthbook_queue ||= []) : window.growthbook_queue);
    if (found && found !== queue) {
      queue = found;
      found.push((client) => {
        queued.add(client);
        look();
      });
    }
    return [window._growthbook, ...queued];
  },
  hook(client, told, settings, warn) {
    const { trackingCallback, tracking } = client.context;
    // GrowthBook's plugin, which is on in the script tag, or its guide's own example.
    if (/Experiment Viewed/.test(trackingCallback) && /segment|undefined/.test(tracking)) {
      warn('trackingCallback sends "Experiment Viewed" too (data-tracking="none" stops GrowthBook\'s own): each exposure counts twice');
    }
    const known = new Set();
    const tell = ({ experiment, result, timestamp }) => {
      if (!experiment || !result.inExperiment) return;
      const key = JSON.stringify([experiment.key, result.key, result.hashAttribute, result.hashValue, result.hashUsed]);
      if (known.has(key)) return;
      known.add(key);
      const wait = result.value?.urlRedirect && handedOver(experiment.key);
      told(read({ experiment, result }, +timestamp || Date.now()));
      return wait;
    };
    // The log of developer mode has every visitor and the times, the results only the last visitor.
    for (const past of [...client.logs, ...client.getDeferredTrackingCalls(), ...client.getAllResults().values()]) tell(past);
    const leave = share(client.context, "trackingCallback", ([experiment, result, user], alone) => {
      const call = { experiment, result, user };
      // Without a callback GrowthBook keeps the calls for the one that may come.
      if (alone) client.setDeferredTrackingCalls([...client.getDeferredTrackingCalls(), call]);
      return tell(call);
    });
    // It does not track what was forced. We tell of it, so that the report can say why it isn't sent.
    const unsubscribe = client.subscribe((experiment, result) => void (result.hashUsed || tell({ experiment, result })));
    return () => {
      leave();
      unsubscribe();
    };
  },
};

/**
 * Reads one assignment. Nothing comes of a result whose visitor is not in the experiment: the targeting,
 * the coverage or the QA mode kept him out.
 */
export function read(event, now) {
  const decision = make("growthbook", now);
  take(decision, event, "experimentKey=experiment.key experimentName=experiment.name variationKey=result.key variationName=result.name userId=result.hashValue flagKey=result.featureId");
  // The hash decides about visitors alone; the address and `forcedVariations` go past it.
  if (at(event, "result.hashUsed") !== true) decision.forced = "a variation forced in GrowthBook";
  return at(event, "result.inExperiment") === true && isComplete(decision) ? decision : undefined;
}

// Where GrowthBook redirects, that may wait until the decision is out, or is held: it may be for ever.
function handedOver(key) {
  const isOut = () => {
    const { verdict, steps } = window.decisionBridge.diagnose().decisions.filter(({ experimentKey }) => experimentKey === key).pop();
    return verdict !== "pending" || steps.some(({ step }) => /^held/.test(step));
  };
  const latest = Date.now() + LONGEST_WAIT_MS; // in a hidden tab timers are slow
  return new Promise((resolve) => {
    const look = () => (Date.now() > latest || attempt(isOut) ? resolve() : setTimeout(look, 50));
    Promise.resolve().then(look);
  });
}
