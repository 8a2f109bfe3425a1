// How a decision is spelled: the one table of what each source's decision is called and says by default,
// and what those destinations say instead that know experiments under names of their own.
import { experimentOf, sourceOf, variationOf } from "./decision.js";

// The fields of Segment's A/B testing specification, and the flag where there is one.
const TESTING = "experimentId experimentName variationId variationName";

// By source: properties, case, event name.
const SOURCES = {
  optimizelyWeb: [TESTING + " campaignId campaignName audienceId audienceName referrer isHoldback", "camelCase"],
  optimizelyFeature: ["flagKey variationKey ruleKey userId"],
  statsig: [TESTING],
  direct: [TESTING + " campaignId campaignName assignedAt", "camelCase"],
  growthbook: [TESTING + " flagKey"],
  openFeature: [TESTING + " flagKey"],
  avsb: [TESTING + " eventName", "snake_case", "avsb_experiment"],
};

// By destination: event name, and under which name it wants which property. These names stay whatever
// `propertyCase` says.
const DESTINATIONS = {
  __proto__: null,
  $exposure: ["$exposure", { flag_key: "flag", variant: "variation", experiment_key: "experiment" }],
  mixpanel: ["$experiment_started", { "Experiment name": "experimentName", "Variant name": "variationName" }],
  posthog: ["$feature_flag_called", { $feature_flag: "flag", $feature_flag_response: "variation" }],
  ga4: ["experience_impression", { exp_variant_string: "whole" }],
};

/** Whether it is the name of a source. */
export const isSource = (name) => Object.keys(SOURCES).includes(name);

export const isoTime = (moment) => new Date(moment).toISOString();

/**
 * The exposure event of a decision: `{name, properties}`. Static properties come first, the decision's
 * own win over them, and what the contract names wins over both. Empty values are left out.
 */
export function spell({ decision, isQa, isPreview }, options, destination) {
  const { exposureEvent } = options.destinationOptions.amplitude;
  const exposure = destination === "amplitude" && exposureEvent;
  const [fields, sourceCase = "snake_case", sourceName = "Experiment Viewed"] = SOURCES[decision.source];
  const own = DESTINATIONS[exposure === "$exposure" ? exposure : destination];
  const snake = (options.propertyCase === "auto" ? sourceCase : options.propertyCase) === "snake_case";
  const cased = (name) => (snake ? name.replace(/[A-Z]/g, "_$&").toLowerCase() : name);
  const properties = { ...options.properties, ...decision.properties };
  const wanted = own ? Object.entries(own[1]) : fields.split(" ").map((name) => [cased(name), name]);
  const told = {
    __proto__: null, // what a polluted prototype lends is no field
    ...decision,
    isQa,
    isPreview,
    assignedAt: isoTime(decision.decidedAt),
    eventName: "experiment_viewed",
    ruleKey: decision.experimentKey,
    flag: decision.flagKey || decision.experimentKey || decision.experimentId,
    // Experiment and variation as GA4 builds audiences from them.
    whole: sourceOf(decision) + "-" + experimentOf(decision) + "-" + variationOf(decision),
  };
  // The key stands in for an id, and either for a name; not for that of an audience.
  const standIn = (property) => {
    const thing = property.replace(/([^e])(Id|Name)$/, "$1");
    return told[thing + "Key"] ?? told[thing + "Id"];
  };
  for (const [name, property] of wanted) {
    const value = told[property] ?? standIn(property);
    if (value !== undefined) properties[name] = value;
  }
  for (const mark of ["isHoldback", "isQa", "isPreview"]) if (told[mark]) properties[cased(mark)] = true;
  // Whoever names the event means this tool's.
  return { name: decision.eventName || exposure || options.eventName || (own ? own[0] : sourceName), properties };
}
