export default {
  kind: "mixpanel",
  script: /mixpanel/,

  // In seconds, as Mixpanel's own are.
  send({ name, properties, options }) {
    window.mixpanel.track(name, { ...properties, ...options, time: options.time / 1000 });
    return "";
  },
};
