// Statsig. `pre_logs_flushed` tells the exposures themselves, as the SDK counts them, but late and
// without the names of groups. The evaluations have the names, and happen without an exposure too.
// So what counts is what is flushed, the evaluations give the names, and we ask for a flush. The SDK
// is never asked to evaluate: that would be heard by others, and counted.
import { isComplete, make, take, unexposed } from "../decision.js";
import { ask, attempt, can, get, text } from "../read.js";
import { late } from "./late.js";

const LISTS = { config: "dynamic_configs", layer: "layer_configs" };
const LONGEST_PAUSE = 60000; // as often the SDK flushes without us

export default {
  kind: "statsig",
  wanted: "a Statsig client",
  hooked: "pre_logs_flushed",
  fits: (client) => can(client, "on", "off", "flush", "getExperiment"),
  find: (named, look) => Object.values(late("__STATSIG__", look).instances),

  hook(client, told, settings) {
    const known = new Map(); // evaluations by list, name and rule
    const taken = new WeakSet(); // what could not be sent is flushed again
    let pause = 500;
    let timer;

    // Bound, and in a task of its own: nothing it throws or starts is ours.
    const flush = () => void Promise.resolve().then(client.flush.bind(client)).catch(() => {});

    const listeners = {
      experiment_evaluation: ({ experiment }) => evaluated("config", experiment),
      layer_evaluation: ({ layer }) => evaluated("layer", layer),
      gate_evaluation: () => get(settings(), "gates") && soon(),
      pre_logs_flushed: ({ events }) => events.forEach((event) => attempt(() => take(event))),
    };

    function evaluated(list, { name, ruleID, __evaluation }) {
      if (!__evaluation) return;
      known.set([list, name, ruleID].join(), __evaluation);
      if (__evaluation.is_user_in_experiment) soon();
    }

    // At most one flush for many evaluations, and ever fewer of them: each may be a request.
    function soon() {
      timer ||= setTimeout(() => {
        timer = 0;
        flush();
      }, (pause = Math.min(pause * 2, LONGEST_PAUSE)));
    }

    function take(exposure) {
      const [, kind] = /^statsig::(\w+)_exposure$/.exec(exposure.eventName) || [];
      if (!kind || taken.has(exposure)) return;
      taken.add(exposure);
      const { metadata, user, time } = exposure;
      const { config, ruleID } = metadata;
      const evaluation = known.get([kind, config, ruleID].join()) || attempt(() => stored(client, LISTS[kind], config));
      told(read({ ...metadata, kind, user, evaluation }, client, settings(), time));
    }

    const entries = Object.keys(listeners).map((name) => [name, (event) => attempt(() => listeners[name](event))]);
    for (const entry of entries) client.on(...entry);
    flush();
    return () => {
      clearTimeout(timer);
      for (const entry of entries) client.off(...entry);
    };
  },
};

// What the SDK's server said, under the name or its hash, in either version of the format.
function stored(client, list, name) {
  const all = client.getContext().values[list];
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) | 0;
  const found = all[name] || all[hash >>> 0];
  const { r, gn, ea, ue, i } = found;
  return r ? { rule_id: r, group_name: gn, is_experiment_active: ea, is_user_in_experiment: ue, id_type: i } : found;
}

/**
 * Reads an exposure; none when it is of a dynamic config, or of a gate and the page did not ask for
 * gates. Statsig logs more than exposures: experiments it does not know yet, that do not run, that the
 * user is not in.
 */
export function read(event, client, settings, now) {
  const kind = get(event, "kind");
  const reason = text(get(event, "reason"));
  const rule = text(get(event, "ruleID"));
  const evaluation = get(event, "evaluation");
  const [isGate, isConfig] = [kind === "gate", kind === "config"];
  const [known, active, inside] = ["rule_id", "is_experiment_active", "is_user_in_experiment"].map((name) => get(evaluation, name));
  if ((isGate && get(settings, "gates") !== true) || (isConfig && known !== undefined && active === undefined && inside === undefined)) return;
  const decision = make("statsig", now);
  take(decision, event, "experimentKey=gate experimentKey=allocatedExperiment variationId=gateValue variationId=ruleID");
  if (isConfig) take(decision, event, "experimentKey=config");
  decision.properties = isGate ? { rule_id: rule } : isConfig ? {} : { layer_name: text(get(event, "config")) };
  // The evaluation of another group, after a change of user, tells nothing. A layer's parameter may
  // have a rule of its own.
  const isItsOwn = text(known) === rule;
  if (isItsOwn) take(decision, evaluation, "variationName=group_name");
  // The user, even where whole companies are decided about: each visitor is exposed.
  if (get(evaluation, "id_type") !== "stableID") take(decision, event, "userId=user.userID");
  take(decision, event, "userId=user.customIDs.stableID");
  take(decision, ask(client, "getContextHandle"), "userId=stableID");
  if (/^LocalOverride/.test(reason)) decision.qa = reason;
  unexposed(decision,
    !/:Recognized$/.test(reason) ? "Statsig had no value for it: " + reason
    : !isComplete(decision) ? "the parameter belongs to no experiment"
    : isGate ? ""
    : known === undefined || (isConfig && !isItsOwn) ? "its group is not known"
    : active !== true ? "the experiment does not run"
    : inside !== true && "the user is not in the experiment"
  );
  return decision;
}
