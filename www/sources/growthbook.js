// GrowthBook: shares the one tracking callback, and replays what was assigned before.
import { isComplete, make } from "../decision.js";
import { at, can } from "../read.js";
import { late } from "./late.js";
import { share } from "./slot.js";

const MOST_LOOKS = 20; // one every 50 ms: as long as GrowthBook itself holds up a redirect
const queued = new Set();
let queue;

export default {
  kind: "growthbook",
  wanted: "a GrowthBook instance",
  hooked: "trackingCallback",
  fits: (client) => can(client, "getAllResults") && client.context && client,
  find(named, look) {
    if (named) window.growthbook_queue ||= [];
    const found = window.growthbook_queue;
    if (found && found !== queue) {
      queue = found;
      found.push((client) => {
        queued.add(client);
        look();
      });
    }
    // Each new instance puts itself there, in developer mode, which the script tag is in.
    return [late("_growthbook", look), ...queued];
  },
  hook(client, told, settings, warn) {
    const { trackingCallback, tracking } = client.context;
    // GrowthBook's plugin, which is on in the script tag, or its guide's own example.
    if (/Experiment Viewed/.test(trackingCallback) && /segment|undefined/.test(tracking)) {
      warn('each exposure counts twice: trackingCallback sends it too (data-tracking="none" stops GrowthBook\'s own)');
    }
    const known = new Set();
    const tell = ({ experiment, result, timestamp }) => {
      if (!experiment || !result.inExperiment) return;
      const key = [experiment.key, result.key, result.hashAttribute, result.hashValue, result.hashUsed].join();
      if (known.has(key)) return;
      known.add(key);
      const item = told(read({ experiment, result }, +timestamp));
      return result.value?.urlRedirect && handedOver(item);
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
  const decision = make("growthbook", now, event, "experimentKey=experiment.key experimentName=experiment.name variationKey=result.key variationName=result.name userId=result.hashValue flagKey=result.featureId");
  // The hash decides about visitors alone; the address and `forcedVariations` go past it.
  if (at(event, "result.hashUsed") !== true) decision.forced = "forced in GrowthBook";
  return at(event, "result.inExperiment") === true && isComplete(decision) ? decision : undefined;
}

// Where GrowthBook redirects, that may wait until the decision is out, or is held: it may be for ever.
async function handedOver(item) {
  for (let looks = 0; looks < MOST_LOOKS && item && !item.ended && !item.held; looks++) await new Promise((resolve) => setTimeout(resolve, 50));
}
