// Optimizely Feature Experimentation. The listener DECISION hears what is decided from now on;
// LOG_EVENT tells, when the SDK sends its impressions, what was decided before we came, and what the
// old API decided, whose DECISION does not say whether it is one. What both tell counts once.
import { isComplete, make, take, unexposed } from "../decision.js";
import { ask, at, attempt, can, find, get, text } from "../read.js";
import { late } from "./late.js";

export default {
  kind: "optimizelyFeature",
  wanted: "an Optimizely Feature Experimentation client",
  hooked: "DECISION, LOG_EVENT",
  fits: (client) => can(get(client, "notificationCenter"), "addNotificationListener") && client,
  find: (named, look) => [late("optimizelyClientInstance", look)],

  hook(client, told) {
    const center = client.notificationCenter;
    const heard = new Set();
    // As version 6 spells it and as all before it do: the wrong one is answered with -1.
    const listeners = { DECISION: decided, "DECISION:type, userId, attributes, decisionInfo": decided, LOG_EVENT: sent, "LOG_EVENT:logEvent": sent };
    const ids = Object.keys(listeners).map((name) => center.addNotificationListener(name, (event) => attempt(() => listeners[name](event))));
    return () => ids.forEach((id) => center.removeNotificationListener(id));

    function decided({ type, userId, decisionInfo }) {
      if (type !== "flag") return;
      const { flagKey, ruleKey, variationKey, enabled, reasons, decisionEventDispatched } = decisionInfo;
      const decision = { flag_key: flagKey, rule_key: ruleKey, variation_key: variationKey, enabled, silent: !decisionEventDispatched };
      if (decisionEventDispatched) heard.add(key(decision, userId));
      tell(decision, userId, 0, reasons);
    }

    function sent({ params }) {
      for (const { visitor_id, snapshots } of params.visitors) {
        for (const { decisions, events } of snapshots) {
          for (const { metadata } of decisions || []) {
            if (!heard.has(key(metadata, visitor_id))) tell(metadata, visitor_id, events[0].timestamp);
          }
        }
      }
    }

    function tell(decision, userId, at, reasons) {
      const qa = attempt(() => forced(client, decision, userId, reasons));
      told(read({ ...decision, user_id: userId, qa }, client, at));
    }
  },
};

const key = ({ flag_key, rule_key, variation_key }, userId) => [flag_key, rule_key, variation_key, userId].join();

// What shows that somebody forced the decision. Of a rule's forced decision only the reasons tell,
// if the page asked for them.
function forced(client, { rule_key: rule, variation_key: variation }, userId, reasons = []) {
  if (rule ? reasons.some((reason) => /^Variation .* forced decision map/.test(reason)) : variation) return "forced decision";
  const config = client.getOptimizelyConfig();
  // Asking for the forced variation of a rollout logs an error.
  if (!config.experimentsMap[rule]) return;
  if (client.getForcedVariation(rule, userId) === variation) return "forced variation";
  const datafile = config.getDatafile();
  if (!datafile.includes(JSON.stringify(userId))) return;
  const all = JSON.parse(datafile);
  const isListed = ({ key, forcedVariations }) => key === rule && forcedVariations[userId] === variation;
  return [all, ...(all.groups || [])].some(({ experiments }) => experiments.some(isListed)) && "whitelisted user";
}

/**
 * Reads a decision about a flag, or about an experiment of the SDK's old API. Keys make the dedupe key,
 * for DECISION of version 5 has no ids.
 */
export function read(event, client, now) {
  const [rule, type] = ["rule_key", "rule_type"].map((name) => text(get(event, name)));
  const enabled = get(event, "enabled");
  const decision = make("optimizelyFeature", now, event, "flagKey=flag_key variationKey=variation_key experimentKey=rule_key userId=user_id qa");
  // A flag that was forced as a whole has no rule, and stands for itself.
  if (!rule) take(decision, event, "experimentId=flag_key");
  if (typeof enabled === "boolean") decision.properties = { enabled };
  // Whether the flag has the rule, and as what. Holdouts stand above the flags: a rule that a flag does
  // not list is one.
  const feature = get(at(ask(client, "getOptimizelyConfig"), "featuresMap"), decision.flagKey);
  const lists = (name) => find(get(feature, name), rule, "key");
  // LOG_EVENT says it itself.
  const kind =
    type ? type
    : !rule || lists("experimentRules") ? "experiment"
    : lists("deliveryRules") ? "rollout"
    : feature && "holdout";
  unexposed(decision,
    !isComplete(decision) ? "no rule applies"
    : kind === "rollout" ? "a rollout"
    : !kind ? "an unknown rule"
    : get(event, "silent") === true && "without an impression"
  );
  // Held out of all experiments: the option `holdback` says what becomes of it.
  decision.isHoldback = kind === "holdout";
  return decision;
}
