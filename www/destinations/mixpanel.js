// Mixpanel: `window.mixpanel`, an array of calls until its script has loaded.
import { queue } from "./state.js";

export default {
  kind: "mixpanel",
  script: /mixpanel/,
  state: (blocked) => queue(window.mixpanel, "track", blocked),
  // It compares the key (36 characters at most), the time in seconds and the visitor to tell a repeat.
  send: ({ name, properties, decision, messageId }) =>
    void window.mixpanel.track(name, { ...properties, $insert_id: messageId, time: decision.decidedAt / 1000 }),
};
