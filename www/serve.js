// What runs beside the decisions, from the moment the module says that it may until it says that it
// may not: Segment's and RudderStack's events are listened to, told to Optimizely, and completed for
// Statsig; the visitor's identity is kept together.
import { commands } from "./forward.js";
import { attempt } from "./read.js";
import { known, makeAlias, makeStatsig, makeTraits, quiet, statsigProperties } from "./identity.js";

// `exposures` are the names of the events that we sent.
export function makeServe(page, exposures) {
  let options; // while we may
  let added; // to Segment's events
  let tool; // the first that was heard: a page that tells two tells them the same
  let early; // whether events are told when they are dispatched, not only once they were sent
  const hooked = new WeakSet();
  const alias = makeAlias(page);
  const statsig = makeStatsig(() => attempt(look));

  function heard(from, event) {
    if (options && options.forwardEvents.to && (tool = tool || from) === from && !exposures.has(event.event)) {
      for (const command of commands({ ...event, tool }, options.forwardEvents)) (window.optimizely = window.optimizely || []).push(command);
    }
    look();
  }

  // analytics-next tells all that is dispatched, analytics.js before it only what was sent.
  const LISTENERS = Object.entries({
    dispatch_start({ event }) {
      early = true;
      heard("segment", event);
    },
    track: (event, properties) => early || heard("segment", { type: "track", event, properties }),
    page: (category, name, properties) => early || heard("segment", { type: "page", category, name, properties }),
    identify: () => look(),
    reset: () => look(),
    // A task later, window.analytics is the real one.
    initialize: () => setTimeout(look),
  }).map(([name, listener]) => [name, (...args) => void attempt(() => listener(...args))]);

  function hookSegment(analytics) {
    if (hooked.has(analytics) || typeof analytics.on !== "function" || analytics.nodeType) return;
    hooked.add(analytics);
    // Else what is under way now would be told when it is sent.
    early = early || !!(analytics.instance || analytics).queue;
    for (const [name, listener] of LISTENERS) {
      // What takes a stub's place has taken its listeners over, too.
      if (!Array.isArray(analytics) && !analytics.then) analytics.off(name, listener);
      analytics.on(name, listener);
    }
    if (Object.keys(added).length) quiet(analytics.addSourceMiddleware(complete));
  }

  function complete({ payload, next }) {
    attempt(() => {
      const event = payload.obj;
      if (options && /^(track|page|screen)$/.test(event.type)) {
        event.properties = { ...added, ...event.properties };
      }
    });
    next(payload);
  }

  // RudderStack tells nobody of its events, so its methods do.
  function hookRudderStack(rudder) {
    if (hooked.has(rudder) || typeof rudder.track !== "function") return;
    hooked.add(rudder);
    const tell = (method, [first, second, third]) => {
      if (method === "track") heard("rudderstack", { type: method, event: first, properties: second });
      if (method !== "page") return;
      const both = typeof second === "string";
      const [category, name, properties] = both ? [first, second, third] : typeof first === "string" ? ["", first, second] : ["", "", first];
      heard("rudderstack", { type: method, category, name, properties });
    };
    if (Array.isArray(rudder)) for (const [method, ...args] of rudder) attempt(() => tell(method, args));
    for (const method of ["track", "page"]) {
      const original = rudder[method];
      rudder[method] = function (...args) {
        // A stub that is still called hands on to the real one, which tells.
        attempt(() => rudder === window.rudderanalytics && tell(method, args));
        return original.apply(this, args);
      };
    }
  }

  function look() {
    if (!options) return;
    const forwards = options.forwardEvents.to;
    const identity = options.statsig.identity;
    if (forwards || options.alias || identity || Object.keys(added).length) attempt(() => hookSegment(window.analytics));
    if (forwards) attempt(() => hookRudderStack(window.rudderanalytics));
    // To ask for the ids may make one.
    const ids = (options.alias || identity) && known();
    if (options.alias) attempt(() => alias(ids));
    if (identity && ids.anonymousId) attempt(() => statsig(ids.anonymousId));
  }

  return {
    traits: makeTraits(page),
    look: () => attempt(look),
    // With the options in force, or with nothing to stop.
    serve(given) {
      options = given;
      added = options && statsigProperties(options.statsig);
      look();
    },
  };
}
