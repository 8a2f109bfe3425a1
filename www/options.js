// The options of `init`, checked. A faulty option is named and falls back to its default; the rest works.
import { attempt, cut, fault, get, isList, isObject, keys, oneOf, put, scalars, spelled } from "./read.js";

const WHO = "init: option";
const SOURCES = ["optimizelyWeb", "growthbook", "openFeature", "avsb", "optimizelyFeature", "statsig"];
const DESTINATIONS = ["segment", "amplitude", "rudderstack", "mixpanel", "posthog", "ga4", "gtm"];
const CONSENT_TOOLS = ["googleConsentMode", "oneTrust", "cookiebot", "tcf", "segment", "gpc", "dnt"];
const TREATMENTS = ["drop", "mark", "send"];

// Each kind of option: `(value, name, mistakes)` gives what it takes, or a function that tells what was wanted.
const NOT = (wanted) => () => wanted;
const string = (wanted = "a string that is not empty", good = (value) => value.trim(), clean = cut) => (value) => {
  const told = typeof value === "string" ? clean(value) : "";
  return told && good(told) ? told : NOT(wanted);
};
const number = (least, most, wanted) => (value) => (typeof value === "number" && value >= least && value <= most ? Math.floor(value) : NOT("a number of " + wanted));
const choice = (names) => (value) => (names.includes(value) ? value : NOT(oneOf(names)));
const flag = (value) => (typeof value === "boolean" ? value : NOT("true or false"));
const plain = (value, name, mistakes) => scalars(WHO, name, value, mistakes);
const items = (list) => keys(list).map((place) => get(list, place));
// `null` and `false`, like what is not there.
const asksNothing = (value) => (value ?? false) === false;

// Of anything that JSON can carry.
const json = (known) => (value, name, mistakes) => {
  if (!isObject(value)) return NOT("an object");
  const taken = {};
  for (const key of keys(value)) {
    const found = get(value, key);
    const part = name + "." + cut(key);
    const text = attempt(() => JSON.stringify(found));
    if (found === undefined) continue;
    if (known && !known.includes(key)) mistakes.push(WHO + " `" + part + "` is not known");
    else if (!text || text.length > 32000) mistakes.push(fault(WHO, part, found, "what JSON can carry"));
    else put(taken, cut(key), JSON.parse(text));
  }
  return taken;
};

// Of texts that are not empty; names whatever else is in it.
const list = (wanted, fallback) => (value, name, mistakes) => {
  if (!isList(value)) return NOT(wanted);
  const given = items(value);
  const good = given.filter((item) => (typeof item === "string" && item) || void mistakes.push(fault(WHO, name, item, wanted)));
  return good.length || !given.length ? good.map((item) => cut(item)) : fallback;
};

// `"auto"`, or a list of kinds. A list without one good entry is as good as none.
const kinds = (known) => (value, name, mistakes) => {
  if (!isList(value)) return value === "auto" ? value : NOT('"auto" or a list');
  const given = items(value);
  const good = given.filter((item, place) => known.includes(item) || void mistakes.push(fault(WHO, name + "[" + place + "]", item, oneOf(known))));
  return good.length || !given.length ? known.filter((kind) => good.includes(kind)) : "auto";
};

const consentTools = (value, name, mistakes) => {
  if (asksNothing(value)) return [];
  const taken = isList(value) ? kinds(CONSENT_TOOLS)(value, name, mistakes) : CONSENT_TOOLS.filter((tool) => tool === value);
  if (!isList(value) && !taken.length) mistakes.push(fault(WHO, name, value, oneOf(CONSENT_TOOLS)));
  return taken === "auto" ? [] : taken;
};

// The one table: the default of each option, and what it takes. An object is a group of options.
const OPTIONS = {
  writeKey: [null, string("letters, digits, _ and -", (value) => /^[\w-]{1,128}$/.test(value))],
  cdnUrl: [null, string("an https: URL, or http: on a loopback host, without query", isCdnUrl, (value) => value.replace(/\/+$/, ""))],
  eventName: [null, string()],
  propertyCase: ["auto", choice(["auto", "camelCase", "snake_case"])],
  properties: [{}, plain],
  sources: ["auto", kinds(SOURCES)],
  sourceOptions: [{}, json(SOURCES)],
  destinations: ["auto", kinds(DESTINATIONS)],
  destinationOptions: {
    segment: { context: [{}, json()], integrations: [{}, json()] },
    amplitude: { exposureEvent: [null, string()] },
  },
  identify: [false, flag],
  alias: [false, flag],
  pollIntervalMs: [250, number(10, 60000, "10 to 60000")],
  maxWaitMs: [5000, number(0, 600000, "0 to 600000")],
  carryOverMs: [1800000, number(0, 1e99, "0 or more")],
  dedupe: ["session", choice(["session", "page", "tab", "visitor", "none"])],
  sessionTimeoutMs: [1800000, number(1000, 1e99, "1000 or more")],
  preview: ["drop", choice(TREATMENTS)],
  qa: ["mark", choice(TREATMENTS)],
  qaSignals: { params: [[], list("a list of names or name=value pairs", [])], cookies: [[], list("a list of names or name=value pairs", [])] },
  holdback: ["auto", choice(["auto", "drop", "send"])],
  requireConsent: [false, flag],
  consentFrom: [[], consentTools],
  consentCategory: [null, string()],
  consentDefault: ["hold", choice(["hold", "grant", "refuse"])],
  statsig: { identity: [false, flag], customIDs: [{}, plain], custom: [{}, plain], environment: [null, string()] },
  forwardEvents: {
    to: [null, choice(["optimizelyWeb"])],
    track: [true, flag],
    namedPages: [true, flag],
    categorizedPages: [true, flag],
    revenue: ["as-is", choice(["as-is", "cents"])],
    onlyRevenueFor: [null, list("a list of event names", null)],
  },
  debug: [false, flag],
};

/** Reads what the page passed to `init`. Each fault is one text in `mistakes`. */
export function parse(given, mistakes) {
  if (!(isObject(given) || given === undefined || given === null)) {
    mistakes.push("init: the options are " + spelled(given) + ", must be an object");
    given = {};
  }
  const options = group(given, OPTIONS, "", mistakes);
  if (options.cdnUrl && !options.writeKey) mistakes.push("init: option `cdnUrl` is of no use without `writeKey`");
  const forward = get(given, "forwardEvents");
  if (isObject(forward) && get(forward, "to") === undefined) mistakes.push('init: option `forwardEvents.to` is missing, must be "optimizelyWeb"');
  // Whoever means to ask is not taken to need no consent, whatever he wrote.
  if (!asksNothing(get(given, "consentFrom"))) options.requireConsent = true;
  return options;
}

// Takes the options of one object; `prefix` is its name, with a dot behind it.
function group(given, specs, prefix, mistakes) {
  const options = { __proto__: null };
  for (const name of Object.keys(specs)) options[name] = isList(specs[name]) ? specs[name][0] : group({}, specs[name], "", mistakes);
  for (const key of keys(given)) {
    const name = prefix + cut(key);
    const value = get(given, key);
    const spec = Object.keys(specs).includes(key) && specs[key];
    // As good as not given.
    if (value === undefined) continue;
    if (!spec) mistakes.push(WHO + " `" + name + "` is not known");
    else if (isList(spec)) {
      const taken = spec[1](value, name, mistakes);
      if (typeof taken === "function") mistakes.push(fault(WHO, name, value, taken()));
      else options[key] = taken;
    } else if (isObject(value)) options[key] = group(value, spec, name + ".", mistakes);
    else if (!asksNothing(value)) mistakes.push(fault(WHO, name, value, "an object"));
  }
  return options;
}

/** The options in force, for the report. The write key is shortened. */
export const shown = ({ extras, ...options }) => ({ ...options, writeKey: options.writeKey && options.writeKey.slice(0, 4) + "…" });

// A script is loaded from here: `https:` from anywhere the page names, `http:` from this machine.
function isCdnUrl(text) {
  const { protocol, hostname } = attempt(() => new URL(text)) || {};
  const clean = /^https?:\/\/[\w[][!-~]{0,1990}$/.test(text) && !/[\\"'<>`@?#]/.test(text);
  return clean && (protocol === "https:" || /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname));
}
