// What runs beside the decisions: consent tools are asked; Segment's and RudderStack's events are
// listened to, told to Optimizely, and completed for Statsig; the visitor's identity is kept together.
import { askConsent } from "./consent.js";
import { parse } from "./extra-options.js";
import { commands } from "./forward.js";
import { known, makeAlias, makeStatsig, makeTraits, quiet, statsigProperties } from "./identity.js";
import { attempt, put } from "./read.js";

/**
 * `given` are the options, ours of them as the page passed them; `error` is told what is wrong with those.
 * `exposures` are the names of the events that we sent. `heard` is what Segment told until now, `listeners`
 * are the functions that put it there, and `hooked` has the analytics they listen to: all of it goes
 * on here. `tellConsent` takes the visitor's answer.
 */
export function makeExtras({ given, error, store, exposures, heard, listeners, hooked, tellConsent }) {
  const mistakes = [];
  Object.assign(given, parse(given, mistakes));
  mistakes.forEach(error);
  let options; // while we may
  let added; // to Segment's events
  let tool; // the first that was heard: a page that tells two tells them the same
  const alias = makeAlias(store);
  const statsig = makeStatsig(() => attempt(look));
  const lookForConsent = askConsent(given, tellConsent);
  // Whether events are told when they are dispatched, not only once they were sent: analytics-next tells
  // all that is dispatched, analytics.js before it only what was sent.
  let early = isEarly(window.analytics);

  function forward(from, event) {
    if (options && options.forwardEvents.to && (tool = tool || from) === from && !exposures.has(event.event)) {
      for (const command of commands({ ...event, tool }, options.forwardEvents)) (window.optimizely = window.optimizely || []).push(command);
    }
    look();
  }

  const HEARD = {
    dispatch_start({ event }) {
      early = true;
      forward("segment", event);
    },
    track: (event, properties) => early || forward("segment", { type: "track", event, properties }),
    page: (category, name, properties) => early || forward("segment", { type: "page", category, name, properties }),
    identify: () => look(),
    reset: () => look(),
    // A task later, window.analytics is the real one.
    initialize: () => setTimeout(look),
  };
  const hear = ([name, told]) => void attempt(() => HEARD[name](...told));

  function isEarly(analytics) {
    return !!attempt(() => (analytics.instance || analytics).queue);
  }

  function hookSegment(analytics) {
    if (typeof analytics.on !== "function" || analytics.nodeType) return;
    if (Object.keys(added).length && !completed.has(analytics)) {
      completed.add(analytics);
      quiet(analytics.addSourceMiddleware(complete));
    }
    if (hooked.has(analytics)) return;
    hooked.add(analytics);
    // Else what is under way now would be told when it is sent.
    early = early || isEarly(analytics);
    for (const [name, listener] of listeners) {
      // What takes a stub's place has taken its listeners over, too.
      if (!Array.isArray(analytics) && !analytics.then) analytics.off(name, listener);
      analytics.on(name, listener);
    }
  }

  const completed = new WeakSet();
  function complete({ payload, next }) {
    attempt(() => {
      const event = payload.obj;
      if (options && /^(track|page|screen)$/.test(event.type)) event.properties = { ...added, ...event.properties };
    });
    next(payload);
  }

  // RudderStack tells nobody of its events, so its methods do.
  function hookRudderStack(rudder) {
    if (hooked.has(rudder) || typeof rudder.track !== "function") return;
    hooked.add(rudder);
    const tell = (method, [first, second, third]) => {
      if (method === "track") forward("rudderstack", { type: method, event: first, properties: second });
      if (method !== "page") return;
      const both = typeof second === "string";
      const [category, name, properties] = both ? [first, second, third] : typeof first === "string" ? ["", first, second] : ["", "", first];
      forward("rudderstack", { type: method, category, name, properties });
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
    attempt(lookForConsent);
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
    traits: makeTraits(store),
    // With the options in force, or with nothing to stop.
    serve(now) {
      options = now;
      added = options && statsigProperties(options.statsig);
      // What was heard meanwhile comes first, and what comes from now on comes at once.
      if (options) heard.splice(0).forEach(hear);
      put(heard, "push", hear);
      look();
    },
  };
}
