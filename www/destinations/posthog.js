export default {
  kind: "posthog",
  script: /posthog|\/static\/array\.js/,

  send({ name, properties, options }) {
    // It wants a Date.
    window.posthog.capture(name, properties, { ...options, timestamp: new Date(options.timestamp) });
    return "";
  },
};
