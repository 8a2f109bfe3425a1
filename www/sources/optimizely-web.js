// Optimizely Web, and Performance Edge. The client on the page may be a queue that the real one
// replaces, so it goes by its name, and is told what to do by `push`.
const NAMES = ["optimizely", "optimizelyEdge"];

export default {
  kind: "optimizelyWeb",
  wanted: "window.optimizely or missing",
  hooked: "campaignDecided",
  fits: (client) => NAMES.some((name) => client === window[name]),

  // Where the page names this source it is sure to come: the queue may be made for it.
  find(named) {
    if (named && !window.optimizely) window.optimizely = [];
    return NAMES.filter((name) => window[name] && typeof window[name].push === "function" && !window[name].nodeType);
  },

  known: (client) => NAMES.find((name) => client === window[name]),

  hook(client, told) {
    let listening = true;
    for (const name of ["campaignDecided", "initialized"]) {
      window[client].push({
        type: "addListener",
        filter: { type: "lifecycle", name },
        // What is told of in words asks for a look at the client's own state.
        handler: (event) => listening && told(name === "initialized" ? name : event),
      });
    }
    told("hooked");
    return () => (listening = false);
  },
};
