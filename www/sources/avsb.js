// A vs B: its one callback, and the dataLayer it pushes to where that is switched on. Either may
// tell of what the other has told already.
import { isComplete, make, take } from "../decision.js";
import { attempt, get, isList } from "../read.js";
import { share } from "./slot.js";

const heard = new WeakSet();
const ways = new Map(); // by which way each exposure came first

export default {
  kind: "avsb",
  wanted: "window.avsb or the dataLayer",
  hooked: "onEvent",
  fits: (client) => typeof client === "object",
  find(named) {
    // As its guide tells everybody who needs the slot before the snippet has loaded.
    if (named) window.avsb ||= {};
    const { avsb, dataLayer } = window;
    const layer = isList(dataLayer) && (avsb || dataLayer.some((entry) => entry?.event === "avsb_experiment")) && dataLayer;
    return [avsb, layer];
  },
  hook(client, told, settings) {
    const tell = (event, way) => {
      // Who wraps our callback makes it come twice.
      if (heard.has(event)) return;
      heard.add(event);
      const key = [event.experiment_id, event.variation_id, event.event_name].join();
      if (!ways.has(key)) ways.set(key, way);
      if (ways.get(key) === way) told(read({ ...event, visitor_id: attempt(() => window.avsb.getVisitorId()) }, Date.now()));
    };
    if (!isList(client)) return share(client, "onEvent", ([event]) => tell(event));
    const look = (entry) => {
      const named = attempt(() => settings().dataLayerEvent) || "avsb_experiment";
      if (entry?.event === named) tell(entry, client);
    };
    client.slice().forEach(look);
    return share(client, "push", (entries) => entries.forEach(look));
  },
};

/** Reads one event, if it is an exposure: conversions come the same way. */
export function read(event, now) {
  const decision = make("avsb", now);
  take(decision, event, "experimentId=experiment_id experimentName=experiment_name variationId=variation_id variationName=variation_name userId=visitor_id");
  return get(event, "event_name") === "experiment_viewed" && isComplete(decision) ? decision : undefined;
}
