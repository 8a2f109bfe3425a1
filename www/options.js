// The options of `init`, checked. A faulty option is named and falls back to its default; the rest works.
import { DESTINATIONS } from "./destinations.js";
import { asksNothing, choice, flag, group, json, list, number, object, string } from "./option.js";
import { fault, isObject, keys } from "./read.js";
import { KINDS } from "./sources.js";

// A script is loaded from here: `https:` from anywhere the page names, `http:` from this machine. What
// browsers read in more than one way is refused.
const CDN_URL = /^(https:\/\/[\w[]|http:\/\/(localhost|127(\.1?\d?\d){3}|\[::1])(?![^:/]))[\w.:\]/%~+=,-]{0,400}$/;

const kinds = (known) => list("auto", '"auto" or a list', known);
const carried = object(32000, json);
const signals = list([], "a list of names or name=value pairs");
// What only the extras understand is taken as it is, and read there.
const later = [null, "", (value) => value];

const [, , read] = group({
  writeKey: string("letters, digits, _ and -", /^[\w-]{1,128}$/),
  cdnUrl: string("an https: URL, or http: on localhost, without query", CDN_URL),
  eventName: string(),
  propertyCase: choice("auto", "auto", "camelCase", "snake_case"),
  properties: object(),
  sources: kinds(KINDS),
  sourceOptions: group(Object.fromEntries(KINDS.map((kind) => [kind, json]))),
  destinations: kinds(DESTINATIONS.map(({ kind }) => kind)),
  destinationOptions: group({
    segment: group({ context: carried, integrations: carried }),
    amplitude: group({ exposureEvent: string() }),
  }),
  identify: flag(false),
  alias: flag(false),
  pollIntervalMs: number(250, 10, 60000),
  maxWaitMs: number(5000, 0, 600000),
  carryOverMs: number(1800000, 0),
  dedupe: choice("session", "session", "page", "tab", "visitor", "none"),
  sessionTimeoutMs: number(1800000, 1000),
  preview: choice("drop", "drop", "mark", "send"),
  qa: choice("mark", "drop", "mark", "send"),
  qaSignals: group({ params: signals, cookies: signals }),
  holdback: choice("auto", "auto", "drop", "send"),
  requireConsent: flag(false),
  consentFrom: later,
  consentCategory: later,
  consentDefault: later,
  statsig: later,
  forwardEvents: later,
  debug: flag(false),
});

// What is empty asks for nothing; but whoever names `forwardEvents` has to say where to.
const says = (value) => !asksNothing(value) && (Object(value) !== value || keys(value).length > 0);

/** Reads what the page passed to `init`; its field `extras` says whether the page asks for any. Each fault is one text in `mistakes`. */
export function parse(given, mistakes) {
  if (!isObject(given ?? {})) {
    mistakes.push(fault("init", "argument 1", given, "an object"));
    given = null;
  }
  const options = read(given, "", mistakes);
  if (options.cdnUrl && !options.writeKey) mistakes.push("init: option `cdnUrl` needs `writeKey`");
  const { identify, alias, consentFrom, consentCategory, consentDefault, statsig, forwardEvents } = options;
  options.extras = Object(forwardEvents) === forwardEvents || [identify, alias, consentFrom, consentCategory, consentDefault, statsig, forwardEvents].some(says);
  // Whoever means to ask is not taken to need no consent, whatever he wrote.
  if (!asksNothing(consentFrom)) options.requireConsent = true;
  return options;
}

/** The options in force, for the report. The write key is shortened. */
export const shown = ({ extras, ...options }) => ({ ...options, writeKey: options.writeKey && options.writeKey.slice(0, 4) + "…" });
