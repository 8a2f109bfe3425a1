// A vs B: its one callback, and the dataLayer it pushes to where that is switched on. Either may
// tell of what the other has told already.
import { isComplete, make } from "../decision.js";
import { ask, get, isList } from "../read.js";
import { share } from "./slot.js";

const EVENT = "avsb_experiment";
const heard = new WeakSet();
const ways = { __proto__: null }; // whether each exposure came by the dataLayer first

export default {
  kind: "avsb",
  wanted: "window.avsb or the dataLayer",
  hooked: "onEvent",
  fits: (client) => typeof client === "object" && client,
  find(named) {
    // As its guide tells everybody who needs the slot before the snippet has loaded.
    if (named) window.avsb ||= {};
    const { avsb, dataLayer } = window;
    const layer = isList(dataLayer) && (avsb || dataLayer.some((entry) => entry?.event === EVENT)) && dataLayer;
    return [avsb, layer];
  },
  hook(client, told, settings) {
    const way = isList(client);
    const tell = (event) => {
      // Who wraps our callback makes it come twice.
      if (heard.has(event)) return;
      heard.add(event);
      const key = [event.experiment_id, event.variation_id, event.event_name].join();
      ways[key] ??= way;
      if (ways[key] === way) told(read({ ...event, visitor_id: ask(window.avsb, "getVisitorId") }));
    };
    if (!way) return share(client, "onEvent", ([event]) => tell(event));
    const look = (entry) => {
      if (entry?.event === (get(settings(), "dataLayerEvent") || EVENT)) tell(entry);
    };
    client.slice().forEach(look);
    return share(client, "push", (entries) => entries.forEach(look));
  },
};

/** Reads one event, if it is an exposure: conversions come the same way. */
export function read(event) {
  const decision = make("avsb", 0, event, "experimentId=experiment_id experimentName=experiment_name variationId=variation_id variationName=variation_name userId=visitor_id");
  return get(event, "event_name") === "experiment_viewed" && isComplete(decision) ? decision : undefined;
}
