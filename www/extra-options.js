// The options that only the extras understand.
import { asksNothing, choice, flag, group, list, object, string } from "./option.js";
import { get, isList, isObject, oneOf } from "./read.js";

const TOOLS = "googleConsentMode oneTrust cookiebot tcf segment gpc dnt".split(" ");
const tools = list([], oneOf(TOOLS), TOOLS);
// One will do, too.
const toolOrTools = (value, ...more) => (isList(value) ? tools[2](value, ...more) : asksNothing(value) ? [] : TOOLS.includes(value) ? [value] : undefined);

const KINDS = {
  consentFrom: [[], oneOf(TOOLS), toolOrTools],
  consentCategory: string(),
  consentDefault: choice("hold", "hold", "grant", "refuse"),
  statsig: group({ identity: flag(false), customIDs: object(), custom: object(), environment: string() }),
  forwardEvents: group({
    to: choice(null, "optimizelyWeb"),
    track: flag(true),
    namedPages: flag(true),
    categorizedPages: flag(true),
    revenue: choice("as-is", "as-is", "cents"),
    onlyRevenueFor: list(null, "a list of event names"),
  }),
};
const [, , read] = group(KINDS);

/** Reads those of what the page passed to `init`, each as it is in `given`. Each fault is one text in `mistakes`. */
export function parse(given, mistakes) {
  const options = read(Object.fromEntries(Object.keys(KINDS).map((name) => [name, given[name] ?? undefined])), "", mistakes);
  const forward = given.forwardEvents;
  if (isObject(forward) && get(forward, "to") === undefined) mistakes.push('init: option `forwardEvents.to` is missing, must be "optimizelyWeb"');
  return options;
}
