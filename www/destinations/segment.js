// What Segment needs as plain JavaScript: it has to work, and to cost nothing, when our module
// does not run.
import { makeScript } from "../script.js";

const METHODS =
  "addDestinationMiddleware addIntegrationMiddleware addSourceMiddleware alias debug group identify off on once page " +
  "pageview ready register reset screen setAnonymousId track trackClick trackForm trackLink trackSubmit";
const WITH_PAGE = ["track", "screen", "alias", "group", "page", "identify"];

// Unless there is a window.analytics: puts a stub in place that queues every call, then loads
// analytics.js for the write key, as Segment's own snippet does.
export function loadSegment(writeKey, cdnUrl, nonce) {
  const found = window.analytics;
  if (Array.isArray(found) || (found && typeof found.track === "function")) return;
  // First what may be forbidden: a stub without its script would stand in everybody's way.
  const url = (cdnUrl || "https://cdn.segment.com") + "/analytics.js/v1/" + encodeURIComponent(writeKey) + "/analytics.min.js";
  const script = makeScript(url, nonce);
  script.setAttribute("data-global-segment-analytics-key", "analytics");
  const stub = (window.analytics = []);
  stub.invoked = true;
  stub.methods = METHODS.split(" ");
  stub.factory = (method) => (...args) => {
    const real = window.analytics;
    if (real && real.initialized) return real[method](...args);
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
    c: (canonical && canonical.getAttribute("href")) || undefined,
    p: location.pathname,
    u: location.href,
    s: location.search,
    t: document.title,
    r: document.referrer,
  };
}

// Of a stub nobody knows which version will replace it.
function ignoresMessageId({ VERSION }, stub) {
  const [major, minor] = String(VERSION || "").split(".");
  return stub || (major === "1" && minor < 68);
}

export default {
  kind: "segment",
  script: /\/analytics\.js\/v1\//,

  // A promise of `track` settles when the tool took charge; a stub keeps the callback for the real
  // tool.
  send({ name, properties, options, user }, stub, confirmed, traits) {
    let identified = () => {};
    const settled = () => {
      identified();
      confirmed();
    };
    const analytics = window.analytics;
    if (ignoresMessageId(analytics, stub) && !analytics.__decisionBridge && typeof analytics.addSourceMiddleware === "function") {
      analytics.__decisionBridge = true;
      analytics.addSourceMiddleware(giveKey);
    }
    const result = stub
      ? analytics.track(name, properties, options, settled)
      : analytics.track(name, properties, options);
    const promise = result && !Array.isArray(result) && typeof result.then === "function";
    if (promise) result.then(settled, settled);
    if (user.experiments) identified = traits(user);
    if (promise || stub) return "later";
    identified();
    return "";
  },
};

// Gives our events their idempotency key where analytics.js ignores the option `messageId`
// (before 1.68). Other events pass untouched.
function giveKey({ payload, next }) {
  const event = payload.obj;
  // Options it does not know end up in the context.
  const key = event.context && event.context.messageId;
  if (typeof key === "string" && key.startsWith("db-")) {
    event.messageId = key;
    delete event.context.messageId;
  }
  next(payload);
}
