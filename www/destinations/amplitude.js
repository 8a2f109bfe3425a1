// Amplitude: the Browser SDK, from its snippet or put at `window.amplitude` by the page.
import { can } from "../read.js";
import { CONFIRMS, MISSING, queues } from "./state.js";

let open = 0; // what was handed over and has not arrived yet

export default {
  kind: "amplitude",
  script: /amplitude/,

  // The SDK fills the snippet's own object. An SDK that waits for `init` queues too, and its promises
  // tell: asking for the device would be one more call in the stub's queue with every look.
  state(blocked) {
    const { amplitude } = window;
    if (!can(amplitude, "track", "Identify")) return MISSING;
    return amplitude.invoked === true && !can(amplitude, "runQueuedFunctions") ? queues(blocked) : CONFIRMS;
  },

  send({ name, properties, decision, messageId }, stub, confirmed) {
    const { amplitude } = window;
    const options = { insert_id: messageId, time: decision.decidedAt };
    // The user property of a flag of Optimizely's, as Amplitude's guide for it names it.
    if (decision.source === "optimizelyFeature") {
      const off = decision.properties?.enabled === false;
      const identify = new amplitude.Identify();
      identify.set("[Optimizely] " + (decision.flagKey || ""), (!off && decision.variationKey) || "off");
      amplitude.identify(identify, { ...options, insert_id: messageId + "-user" });
    }
    const { promise } = amplitude.track(name, properties, options) || {};
    if (!promise) return false;
    open++;
    // 5xx is what it says when it could not reach its server, and has thrown the event away.
    promise.then(({ code }) => {
      open--;
      if (code < 500) confirmed();
    }, () => open--);
    return true;
  },

  // It sends in its own time, and what waits then goes out with its next page at best.
  leaving() {
    if (!open) return;
    const { amplitude } = window;
    amplitude.setTransport("beacon");
    amplitude.flush();
    window.addEventListener("pageshow", () => window.amplitude.setTransport("fetch"), { once: true });
  },
};
