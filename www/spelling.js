// How a decision is spelled: the one table of what each source's decision is called and says by default,
// and what those destinations say instead that know experiments under names of their own.
import { experimentOf, sourceOf, variationOf } from "./decision.js";

const VIEWED = "Experiment Viewed";
// The fields of Segment's A/B testing specification, and the flag where there is one.
const TESTING = "experimentId experimentName variationId variationName";

// By source: event name, case, properties.
const SOURCES = {
  optimizelyWeb: [VIEWED, "camelCase", TESTING + " campaignId campaignName audienceId audienceName referrer"],
  optimizelyFeature: [VIEWED, "snake_case", "flagKey variationKey ruleKey userId"],
  statsig: [VIEWED, "snake_case", TESTING],
  direct: [VIEWED, "camelCase", TESTING + " campaignId campaignName assignedAt"],
  growthbook: [VIEWED, "snake_case", TESTING + " flagKey"],
  openFeature: [VIEWED, "snake_case", TESTING + " flagKey"],
  avsb: ["avsb_experiment", "snake_case", TESTING + " eventName"],
};

// By destination: event name, and under which name it wants which property. These names stay whatever
// `propertyCase` says.
const DESTINATIONS = {
  $exposure: ["$exposure", { flag_key: "flag", variant: "variant", experiment_key: "experiment" }],
  mixpanel: ["$experiment_started", { "Experiment name": "experimentName", "Variant name": "variationName" }],
  posthog: ["$feature_flag_called", { $feature_flag: "flag", $feature_flag_response: "variant" }],
  ga4: ["experience_impression", { exp_variant_string: "whole" }],
};

// What is not simply a field of the decision.
const VALUES = {
  experimentId: experimentOf,
  experimentName: (decision) => decision.experimentName || decision.experimentKey || decision.experimentId,
  variationId: variationOf,
  variationName: (decision) => decision.variationName || decision.variationKey || decision.variationId,
  campaignName: (decision) => decision.campaignName || decision.campaignId,
  ruleKey: (decision) => decision.experimentKey,
  assignedAt: (decision) => isoTime(decision.decidedAt),
  eventName: () => "experiment_viewed",
  experiment: (decision) => decision.experimentKey || decision.experimentId,
  flag: (decision) => decision.flagKey || VALUES.experiment(decision),
  variant: (decision) => decision.variationKey || decision.variationId,
  // Experiment and variation as GA4 builds audiences from them.
  whole: (decision) => [sourceOf(decision), experimentOf(decision), variationOf(decision)].join("-"),
};

const valueOf = (decision, name) => (VALUES[name] ? VALUES[name](decision) : decision[name]);

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
  const [sourceName, sourceCase, fields] = SOURCES[decision.source];
  const own = DESTINATIONS[exposure === "$exposure" ? exposure : destination];
  const snake = (options.propertyCase === "auto" ? sourceCase : options.propertyCase) === "snake_case";
  const cased = (name) => (snake ? name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase()) : name);
  const properties = { ...options.properties, ...decision.properties };
  const wanted = own ? Object.entries(own[1]) : fields.split(" ").map((name) => [cased(name), name]);
  for (const [name, field] of wanted) {
    const value = valueOf(decision, field);
    if (value) properties[name] = value;
  }
  if (decision.isHoldback || (decision.source === "optimizelyWeb" && !own)) properties[cased("isHoldback")] = decision.isHoldback;
  if (isQa) properties[cased("isQa")] = true;
  if (isPreview) properties[cased("isPreview")] = true;
  // Whoever names the event means this tool's.
  return { name: decision.eventName || exposure || options.eventName || (own ? own[0] : sourceName), properties };
}
