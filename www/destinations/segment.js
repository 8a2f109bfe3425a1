// Segment: `window.analytics`, be it the snippet's stub, analytics.js, the npm package, or another library
// that speaks its language.
import { experimentOf, variationOf } from "../decision.js";
import { at, can, get, isList, isObject, keys } from "../read.js";
import { makeScript } from "../script.js";
import { CONFIRMS, FAILED, MISSING, READY, queues } from "./state.js";

const METHODS =
  "addDestinationMiddleware addIntegrationMiddleware addSourceMiddleware alias debug group identify off on once page " +
  "pageview ready register reset screen setAnonymousId track trackClick trackForm trackLink trackSubmit";
const WITH_PAGE = ["track", "screen", "alias", "group", "page", "identify"];

// Unless there is a window.analytics: puts a stub in place that queues every call, then loads
// analytics.js for the write key, as Segment's own snippet does.
export function loadSegment(writeKey, cdnUrl, nonce) {
  if (isList(window.analytics) || can(window.analytics, "track")) return;
  // First what may be forbidden: a stub without its script would stand in everybody's way.
  const url = (cdnUrl || "https://cdn.segment.com") + "/analytics.js/v1/" + encodeURIComponent(writeKey) + "/analytics.min.js";
  const script = makeScript(url, nonce);
  script.setAttribute("data-global-segment-analytics-key", "analytics");
  const stub = (window.analytics = []);
  stub.invoked = true;
  stub.methods = METHODS.split(" ");
  stub.factory = (method) => (...args) => {
    const real = window.analytics;
    if (real?.initialized) return real[method](...args);
    // The page as it is at the call, which analytics.js would else read at replay.
    if (WITH_PAGE.includes(method)) args.push(pageContext());
    stub.push([method, ...args]);
    return stub;
  };
  for (const method of stub.methods) stub[method] = stub.factory(method);
  stub.load = (key, options) => {
    stub._loadOptions = options;
    document.head.appendChild(script);
  };
  stub._writeKey = writeKey;
  if (cdnUrl) stub._cdn = cdnUrl;
  stub.load(writeKey);
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

// Only analytics.js has a version like `1.84.3`.
const hasVersion = (analytics) => String(get(analytics, "VERSION")).includes(".");

// A disabled analytics.js, or one whose visitor refused consent, looks initialized and drops all.
const dropsAll = (analytics) => at(analytics, "settings.writeKey") === "" && !keys(at(analytics, "queue.plugins")).length;

/** Whether it is another library that speaks Segment's language. */
export const isForeign = (state) => state === READY && !hasVersion(get(window, "analytics"));

export default {
  kind: "segment",
  script: /\/analytics\.js\/v1\//,

  // "`track` is a function" says nothing: a stub has it for ever when analytics.js is blocked.
  state(blocked) {
    const { analytics } = window;
    if (!can(analytics, "track")) return MISSING;
    const { initialized, instance } = analytics;
    if (isList(analytics) || initialized === false) return queues(blocked);
    if (initialized === true) return dropsAll(analytics) ? FAILED : hasVersion(analytics) ? CONFIRMS : READY;
    if (!can(analytics, "then", "load")) return READY;
    // The npm package's buffer: it has its instance once it has loaded.
    return !isObject(instance) ? queues(blocked) : dropsAll(instance) ? FAILED : CONFIRMS;
  },

  // A promise of `track` settles when the tool took charge; a stub keeps the callback for the real tool.
  send({ name, properties, decision, messageId, time, page, options, traits }, stub, confirmed) {
    const { context, integrations } = options.destinationOptions.segment;
    const given = { timestamp: time, messageId };
    if (page || keys(context).length) given.context = { ...context, ...(page && { page }) };
    if (keys(integrations).length) given.integrations = { ...integrations };
    let identified = () => {};
    const settled = () => {
      identified();
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
    identified();
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
