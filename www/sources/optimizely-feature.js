// Optimizely Feature Experimentation. The listener DECISION hears what is decided from now on;
// LOG_EVENT tells, when the SDK sends its impressions, what was decided before we came, and what the
// old API decided, whose DECISION does not say whether it is one. What both tell counts once.
import { isComplete, make, take, unexposed } from "../decision.js";
import { ask, at, attempt, can, find, get, text } from "../read.js";
import { late } from "./late.js";

export default {
  kind: "optimizelyFeature",
  wanted: "a client of Optimizely's Feature Experimentation SDK",
  hooked: "DECISION, LOG_EVENT",
  fits: (client) => can(get(client, "notificationCenter"), "addNotificationListener"),

  find(named, look) {
    return [late("optimizelyClientInstance", look)].filter(this.fits);
  },

  hook(client, told) {
    const center = client.notificationCenter;
    const heard = new Set();
    // As version 6 spells it and as all before it do: the wrong one is answered with -1.
    const listen = (name, rest, handler) =>
      [name, name + rest].map((spelled) => center.addNotificationListener(spelled, (event) => attempt(() => handler(event))));
    const ids = [...listen("DECISION", ":type, userId, attributes, decisionInfo", decided), ...listen("LOG_EVENT", ":logEvent", sent)];
    return () => ids.forEach((id) => center.removeNotificationListener(id));

    function decided({ type, userId, decisionInfo }) {
      if (type !== "flag") return;
      const { flagKey, ruleKey, variationKey, enabled, reasons, decisionEventDispatched } = decisionInfo;
      const decision = { flag_key: flagKey, rule_key: ruleKey, variation_key: variationKey, enabled, silent: !decisionEventDispatched };
      if (decisionEventDispatched) heard.add(key(decision, userId));
      tell(decision, userId, Date.now(), reasons);
    }

    function sent({ params }) {
      for (const { visitor_id, snapshots } of params.visitors) {
        for (const { decisions, events } of snapshots) {
          for (const { metadata } of decisions || []) {
            if (!heard.has(key(metadata, visitor_id))) tell(metadata, visitor_id, events[0].timestamp || Date.now());
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

const key = ({ flag_key, rule_key, variation_key }, userId) => JSON.stringify([flag_key, rule_key, variation_key, userId].map((part) => part || ""));

// What shows that somebody forced the decision. Of a rule's forced decision only the reasons tell,
// if the page asked for them.
function forced(client, { rule_key: rule, variation_key: variation }, userId, reasons = []) {
  if (!rule) return variation && "forced decision";
  if (reasons.some((reason) => /^Variation .* forced decision map/.test(reason))) return "forced decision";
  const config = client.getOptimizelyConfig();
  // Asking for the forced variation of a rollout logs an error.
  if (!config.experimentsMap[rule]) return;
  if (client.getForcedVariation(rule, userId) === variation) return "forced variation";
  const datafile = config.getDatafile();
  if (!datafile.includes(JSON.stringify(userId))) return;
  const { experiments, groups = [] } = JSON.parse(datafile);
  const all = experiments.concat(...groups.map((group) => group.experiments));
  return all.some((each) => each.key === rule && each.forcedVariations[userId] === variation) && "whitelisted user";
}

/**
 * Reads a decision about a flag, or about an experiment of the SDK's old API. Keys make the dedupe key,
 * for DECISION of version 5 has no ids.
 */
export function read(event, client, now) {
  const decision = make("optimizelyFeature", now);
  const rule = get(event, "rule_key");
  const enabled = get(event, "enabled");
  take(decision, event, "flagKey=flag_key variationKey=variation_key experimentKey=rule_key userId=user_id qa");
  // A flag that was forced as a whole has no rule, and stands for itself.
  if (!text(rule)) take(decision, event, "experimentId=flag_key");
  if (typeof enabled === "boolean") decision.properties = { enabled };
  // Whether the flag has the rule, and as what. Holdouts stand above the flags: a rule that a flag does
  // not list is one.
  const feature = get(at(ask(client, "getOptimizelyConfig"), "featuresMap"), decision.flagKey);
  const lists = (name) => find(get(feature, name), rule) || find(get(feature, name), rule, "key");
  const type = text(get(event, "rule_type"));
  // LOG_EVENT says it itself.
  const kind =
    /^(experiment|feature-test)$/.test(type) ? "experiment"
    : /^(rollout|holdout)$/.test(type) ? type
    : !text(rule) || lists("experimentRules") ? "experiment"
    : lists("deliveryRules") ? "rollout"
    : feature && "holdout";
  unexposed(decision,
    !isComplete(decision) ? "no rule of the flag applies"
    : kind === "rollout" ? "the rule is a rollout"
    : !kind ? "the rule is not known"
    : get(event, "silent") === true && "asked for without an impression"
  );
  // Held out of all experiments: the option `holdback` says what becomes of it.
  decision.isHoldback = kind === "holdout";
  return decision;
}
