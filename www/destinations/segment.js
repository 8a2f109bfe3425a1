// Segment: `window.analytics`, be it the snippet's stub, analytics.js, the npm package, or another library
// that speaks its language.
import { experimentOf, variationOf } from "../decision.js";
import { at, attempt, can, isList, keys } from "../read.js";
import { makeScript } from "../script.js";
import { CONFIRMS, FAILED, MISSING, READY, queues } from "./state.js";

const WITH_PAGE = "track screen alias group page identify".split(" ");
const METHODS =
  "addDestinationMiddleware addIntegrationMiddleware addSourceMiddleware debug off on once pageview ready register reset " +
  "setAnonymousId trackClick trackForm trackLink trackSubmit";

// Unless there is a window.analytics: puts a stub in place that queues every call, then loads
// analytics.js for the write key, as Segment's own snippet does.
export function loadSegment(writeKey, cdnUrl, nonce) {
  if (isList(window.analytics) || can(window.analytics, "track")) return;
  // First what may be forbidden: a stub without its script would stand in everybody's way.
  const cdn = (cdnUrl || "https://cdn.segment.com").replace(/\/+$/, "");
  const script = makeScript(cdn + "/analytics.js/v1/" + writeKey + "/analytics.min.js", nonce);
  document.head.appendChild(script);
  const stub = (window.analytics = []);
  stub.invoked = true;
  for (const method of [...WITH_PAGE, ...METHODS.split(" ")]) {
    stub[method] = (...args) => {
      const real = window.analytics;
      if (real?.initialized) return real[method](...args);
      // The page as it is at the call, which analytics.js would else read at replay.
      if (WITH_PAGE.includes(method)) args.push(pageContext());
      stub.push([method, ...args]);
      return stub;
    };
  }
  stub._writeKey = writeKey;
  stub._cdn = cdn;
}

function pageContext() {
  const canonical = document.querySelector("link[rel='canonical']");
  return {
    __t: "bpc",
    c: canonical?.getAttribute("href") || undefined,
    p: location.pathname,
    u: location.href,
    s: location.search,
    t: document.title,
    r: document.referrer,
  };
}

export default {
  kind: "segment",
  script: /\/analytics\.js\/v1\//,

  // "`track` is a function" says nothing: a stub has it for ever when analytics.js is blocked.
  state(blocked) {
    const { analytics } = window;
    if (!can(analytics, "track")) return MISSING;
    const { initialized, instance } = analytics;
    // The npm package's buffer has its instance once it has loaded.
    const isBuffer = !initialized && can(analytics, "then", "load");
    const real = isBuffer ? instance : analytics;
    if (isList(analytics) || initialized === false || !real) return queues(blocked);
    // A disabled analytics.js, or one whose visitor refused consent, looks initialized and drops all.
    if (at(real, "settings.writeKey") === "" && !keys(at(real, "queue.plugins")).length) return FAILED;
    // Only analytics.js has a version like `1.84.3`.
    return isBuffer || (initialized && /\./.test(real.VERSION)) ? CONFIRMS : READY;
  },

  // A promise of `track` settles when the tool took charge; a stub keeps the callback for the real tool.
  send({ name, properties, decision, messageId, time, page, options, traits }, stub, confirmed) {
    const { context, integrations } = options.destinationOptions.segment;
    const given = { timestamp: time, messageId };
    const more = { context: { ...context, ...(page && { page }) }, integrations };
    // A copy: who changes it on the way changes this event alone.
    for (const name of keys(more)) if (keys(more[name]).length) given[name] = attempt(() => structuredClone(more[name])) || { ...more[name] };
    let identified;
    const settled = () => {
      // What it takes while there is no line is no further than its own memory.
      if (attempt(() => navigator.onLine) === false) return attempt(() => addEventListener("online", settled, { once: true }));
      identified?.();
      confirmed();
    };
    const { analytics } = window;
    // Of a stub nobody knows which version will replace it.
    if ((stub || /^1\.([0-5]?\d|6[0-7])\b/.test(analytics.VERSION)) && !analytics.__decisionBridge && can(analytics, "addSourceMiddleware")) {
      analytics.__decisionBridge = true;
      analytics.addSourceMiddleware(giveKey);
    }
    const result = analytics.track(name, properties, given, ...(stub ? [settled] : []));
    const promise = !isList(result) && can(result, "then");
    if (promise) result.then(settled, settled);
    if (options.identify) {
      const variation = decision.isHoldback ? "holdback" : decision.variationKey || variationOf(decision);
      identified = traits({ [decision.experimentKey || experimentOf(decision)]: variation });
    }
    if (promise || stub) return true;
    identified?.();
  },
};

// Gives our events their idempotency key where analytics.js ignores the option `messageId` (before 1.68).
// Other events pass untouched.
function giveKey({ payload, next }) {
  const event = payload.obj;
  // Options it does not know end up in the context.
  const key = event.context?.messageId;
  if (typeof key === "string" && key.startsWith("db-")) {
    event.messageId = key;
    delete event.context.messageId;
  }
  next(payload);
}
