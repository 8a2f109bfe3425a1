// How a decision is spelled: the one table of what each source's decision is called and says by default,
// and what those destinations say instead that know experiments under names of their own.
import { experimentOf, sourceOf, variationOf } from "./decision.js";

// The fields of Segment's A/B testing specification, and the flag where there is one.
const TESTING = "experimentId experimentName variationId variationName";

// By source: properties, case, event name.
const SOURCES = {
  optimizelyWeb: [TESTING + " campaignId campaignName audienceId audienceName referrer", "camelCase"],
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
  $exposure: ["$exposure", { flag_key: "flag", variant: "variant", experiment_key: "experiment" }],
  mixpanel: ["$experiment_started", { "Experiment name": "experimentName", "Variant name": "variationName" }],
  posthog: ["$feature_flag_called", { $feature_flag: "flag", $feature_flag_response: "variant" }],
  ga4: ["experience_impression", { exp_variant_string: "whole" }],
};

// The fields that stand for a property, the best first, where it is not the one of its name.
const FIELDS = {
  __proto__: null,
  experimentId: "experimentId experimentKey",
  experimentName: "experimentName experimentKey experimentId",
  variationId: "variationId variationKey",
  variationName: "variationName variationKey variationId",
  campaignName: "campaignName campaignId",
  ruleKey: "experimentKey",
  experiment: "experimentKey experimentId",
  flag: "flagKey experimentKey experimentId",
  variant: "variationKey variationId",
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
  const cased = (name) => (snake ? name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase()) : name);
  const properties = { ...options.properties, ...decision.properties };
  const wanted = own ? Object.entries(own[1]) : fields.split(" ").map((name) => [cased(name), name]);
  const told = {
    __proto__: null, // what a polluted prototype lends is no field
    ...decision,
    assignedAt: isoTime(decision.decidedAt),
    eventName: "experiment_viewed",
    // Experiment and variation as GA4 builds audiences from them.
    whole: [sourceOf(decision), experimentOf(decision), variationOf(decision)].join("-"),
  };
  for (const [name, property] of wanted) {
    const field = (FIELDS[property] || property).split(" ").find((field) => told[field]);
    if (field) properties[name] = told[field];
  }
  if (decision.isHoldback || (decision.source === "optimizelyWeb" && !own)) properties[cased("isHoldback")] = decision.isHoldback;
  if (isQa) properties[cased("isQa")] = true;
  if (isPreview) properties[cased("isPreview")] = true;
  // Whoever names the event means this tool's.
  return { name: decision.eventName || exposure || options.eventName || (own ? own[0] : sourceName), properties };
}
