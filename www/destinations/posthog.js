// PostHog: `window.posthog`, an array of calls until its script has loaded.
import { queue } from "./state.js";

export default {
  kind: "posthog",
  script: /posthog|\/static\/array\.js/,
  state: (blocked) => queue(window.posthog, "capture", blocked),
  send({ name, properties, decision, messageId }) {
    // A UUID of version 8, the one for hashes of one's own: another form is replaced with a random one.
    const uuid = messageId.replace(/^db-(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, "$1-$2-8$3-a$4-$5");
    window.posthog.capture(name, properties, { uuid, timestamp: new Date(decision.decidedAt) });
  },
};
