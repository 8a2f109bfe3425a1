// RudderStack: `window.rudderanalytics`, an array of calls until its script has loaded.
import { ask, can, isList } from "../read.js";
import { MISSING, READY, STUB, queues } from "./state.js";

export default {
  kind: "rudderstack",
  script: /rudder|\/rsa\.(min\.)?js/,

  // The real one gives an empty id before it has its configuration. Until then it keeps calls, in memory.
  state(blocked) {
    const rudder = window.rudderanalytics;
    if (!can(rudder, "track")) return MISSING;
    if (isList(rudder)) return queues(blocked);
    const id = ask(rudder, "getAnonymousId");
    return typeof id !== "string" ? MISSING : id ? READY : STUB;
  },

  // It makes its own `messageId`, a random one; ours lands in the context, where warehouses may find it.
  send: ({ name, properties, messageId, time, page }) =>
    void window.rudderanalytics.track(
      name,
      { ...properties, idempotencyKey: messageId },
      { messageId, originalTimestamp: time, ...(page && { context: { page } }) }
    ),
};
