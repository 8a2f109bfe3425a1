// The options of `init`, checked. A faulty option is named and falls back to its default; the rest works.
import { attempt, cut, fault, get, isList, isObject, keys, oneOf, scalars, spelled } from "./read.js";

const WHO = "init: option";
const words = (names) => names.split(" ");
const SOURCES = words("optimizelyWeb growthbook openFeature avsb optimizelyFeature statsig");
const DESTINATIONS = words("segment amplitude rudderstack mixpanel posthog ga4 gtm");
const CONSENT_TOOLS = words("googleConsentMode oneTrust cookiebot tcf segment gpc dnt");

// Each kind of option: its default, what is wanted, and `(value, name, mistakes)`, which gives what it
// takes, nothing when that is not what is wanted.
const among = (...known) => (value) => known.find((one) => one === value);
const string = (wanted = "a string that is not empty", good = /\S/) => [null, wanted, (value) => (typeof value === "string" && good.test(cut(value)) ? cut(value) : undefined)];
const number = (standard, least, most = 1e99) => [
  standard,
  "a number of " + least + (most < 1e99 ? " to " + most : " or more"),
  (value) => (typeof value === "number" && value >= least && value <= most ? Math.floor(value) : undefined),
];
const choice = (names, standard) => [standard, oneOf(words(names)), among(...words(names))];
const flag = (standard) => [standard, "true or false", among(true, false)];
const plain = [{}, "", (value, name, mistakes) => scalars(WHO, name, value, mistakes)];
// `null` and `false`, like what is not there.
const asksNothing = (value) => (value ?? false) === false;

// Of anything that JSON can carry.
const json = (known) => [{}, "an object", (value, name, mistakes) => {
  if (!isObject(value)) return;
  const taken = [];
  for (const key of keys(value)) {
    const found = get(value, key);
    const part = name + "." + cut(key);
    const text = attempt(() => JSON.stringify(found));
    if (found === undefined) continue;
    if (known && !known.includes(key)) mistakes.push(WHO + " `" + part + "` is not known");
    else if (!text || text.length > 32000) mistakes.push(fault(WHO, part, found, "what JSON can carry"));
    else taken.push([cut(key), JSON.parse(text)]);
  }
  return Object.fromEntries(taken);
}];

// Of what is known, or of texts that are not empty; names whatever else is in it. A list without one good
// entry is as good as none.
const list = (standard, wanted, known, alone) => [standard, wanted, (value, name, mistakes) => {
  if (!isList(value)) return alone?.(value);
  const given = keys(value).map((place) => get(value, place));
  const isGood = (item) => (known ? known.includes(item) : typeof item === "string" && item);
  const good = given.filter((item, place) => isGood(item) || void mistakes.push(fault(WHO, name + "[" + place + "]", item, known ? oneOf(known) : wanted)));
  if (given.length && !good.length) return standard;
  return known ? known.filter((kind) => good.includes(kind)) : good.map((item) => cut(item));
}];
const texts = (standard, wanted) => list(standard, "a list of " + wanted);
const kinds = (known) => list("auto", '"auto" or a list', known, among("auto"));
const consentTools = list([], oneOf(CONSENT_TOOLS), CONSENT_TOOLS, (value) => (asksNothing(value) ? [] : CONSENT_TOOLS.includes(value) ? [value] : undefined));

// The one table. An object is a group of options.
const OPTIONS = {
  writeKey: string("letters, digits, _ and -", /^[\w-]{1,128}$/),
  cdnUrl: [null, "an https: URL, or http: on a loopback host, without query", readCdnUrl],
  eventName: string(),
  propertyCase: choice("auto camelCase snake_case", "auto"),
  properties: plain,
  sources: kinds(SOURCES),
  sourceOptions: json(SOURCES),
  destinations: kinds(DESTINATIONS),
  destinationOptions: {
    segment: { context: json(), integrations: json() },
    amplitude: { exposureEvent: string() },
  },
  identify: flag(false),
  alias: flag(false),
  pollIntervalMs: number(250, 10, 60000),
  maxWaitMs: number(5000, 0, 600000),
  carryOverMs: number(1800000, 0),
  dedupe: choice("session page tab visitor none", "session"),
  sessionTimeoutMs: number(1800000, 1000),
  preview: choice("drop mark send", "drop"),
  qa: choice("drop mark send", "mark"),
  qaSignals: { params: texts([], "names or name=value pairs"), cookies: texts([], "names or name=value pairs") },
  holdback: choice("auto drop send", "auto"),
  requireConsent: flag(false),
  consentFrom: consentTools,
  consentCategory: string(),
  consentDefault: choice("hold grant refuse", "hold"),
  statsig: { identity: flag(false), customIDs: plain, custom: plain, environment: string() },
  forwardEvents: {
    to: choice("optimizelyWeb", null),
    track: flag(true),
    namedPages: flag(true),
    categorizedPages: flag(true),
    revenue: choice("as-is cents", "as-is"),
    onlyRevenueFor: texts(null, "event names"),
  },
  debug: flag(false),
};

/** Reads what the page passed to `init`; its field `extras` says whether the page asks for any. Each fault is one text in `mistakes`. */
export function parse(given, mistakes) {
  if (!isObject(given ?? {})) {
    mistakes.push("init: the options are " + spelled(given) + ", must be an object");
    given = {};
  }
  const options = group(given, OPTIONS, "", mistakes);
  if (options.cdnUrl && !options.writeKey) mistakes.push("init: option `cdnUrl` is of no use without `writeKey`");
  const forward = get(given, "forwardEvents");
  if (isObject(forward) && get(forward, "to") === undefined) mistakes.push('init: option `forwardEvents.to` is missing, must be "optimizelyWeb"');
  const { identify, alias, consentFrom, forwardEvents, statsig } = options;
  // Where any of these is `true`, or says something.
  if (/true|"/.test(JSON.stringify([identify, alias, consentFrom, forwardEvents.to, ...Object.values(statsig)]))) options.extras = true;
  // Whoever means to ask is not taken to need no consent, whatever he wrote.
  if (!asksNothing(get(given, "consentFrom"))) options.requireConsent = true;
  return options;
}

// Takes the options of one object; `prefix` is its name, with a dot behind it.
function group(given, specs, prefix, mistakes) {
  const options = { __proto__: null };
  for (const name of keys(specs)) options[name] = isList(specs[name]) ? specs[name][0] : group({}, specs[name], "", mistakes);
  for (const key of keys(given)) {
    const name = prefix + cut(key);
    const value = get(given, key);
    const spec = keys(specs).includes(key) && specs[key];
    // As good as not given.
    if (value === undefined) continue;
    if (!spec) mistakes.push(WHO + " `" + name + "` is not known");
    else if (isList(spec)) {
      const taken = spec[2](value, name, mistakes);
      if (taken === undefined) mistakes.push(fault(WHO, name, value, spec[1]));
      else options[key] = taken;
    } else if (isObject(value)) options[key] = group(value, spec, name + ".", mistakes);
    else if (!asksNothing(value)) mistakes.push(fault(WHO, name, value, "an object"));
  }
  return options;
}

/** The options in force, for the report. The write key is shortened. */
export const shown = ({ extras, ...options }) => ({ ...options, writeKey: options.writeKey && options.writeKey.slice(0, 4) + "…" });

// A script is loaded from here: `https:` from anywhere the page names, `http:` from this machine. What
// browsers read in more than one way is refused.
function readCdnUrl(value) {
  const url = typeof value === "string" ? value.replace(/\/+$/, "") : "";
  const { origin } = attempt(() => new URL(url)) || {};
  const isClean = /^https?:\/\/(?!.*[\\"'<>`@?#])[\w[][!-~]{0,1990}$/.test(url);
  return isClean && /^(https:|http:\/\/(localhost|127\.[\d.]+|\[::1\])(:\d+)?$)/.test(origin) ? url : undefined;
}
