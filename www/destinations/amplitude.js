// Amplitude: the Browser SDK, from its snippet or put at `window.amplitude` by the page.

let open = 0; // what was handed over and has not arrived yet

export default {
  kind: "amplitude",
  script: /amplitude/,

  send({ name, properties, options, user }, stub, confirmed) {
    const amplitude = window.amplitude;
    for (const [property, value] of Object.entries(user)) {
      const identify = new amplitude.Identify();
      identify.set(property, value);
      amplitude.identify(identify, { ...options, insert_id: options.insert_id + "-user" });
    }
    const { promise } = amplitude.track(name, properties, options) || {};
    if (!promise) return "";
    open++;
    // 5xx is what it says when it could not reach its server, and has thrown the event away.
    promise.then(({ code }) => {
      open--;
      if (code < 500) confirmed();
    }, () => open--);
    return "later";
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
