// Statsig. `pre_logs_flushed` tells the exposures themselves, as the SDK counts them, but late and
// without the names of groups. The evaluations have the names, and happen without an exposure too.
// So what counts is what is flushed, the evaluations give the names, and we ask for a flush. The SDK
// is never asked to evaluate: that would be heard by others, and counted.
import { isComplete, make, take, unexposed } from "../decision.js";
import { ask, attempt, can, find, get, text } from "../read.js";
import { late } from "./late.js";

const LONGEST_PAUSE = 60000; // as often the SDK flushes without us

export default {
  kind: "statsig",
  wanted: "a Statsig client",
  hooked: "pre_logs_flushed",
  // What it has from the first moment on: it tells of itself before it is all there.
  fits: (client) => can(client, "on", "off", "flush", "getContext") && client,
  find: (named, look) => Object.values(Object(late("__STATSIG__", look)?.instances)),

  hook(client, told, settings) {
    const known = new Map(); // evaluations by name and rule
    const taken = new WeakSet(); // what could not be sent is flushed again
    let pause = 500;
    let timer;

    // Bound, and in a task of its own: nothing it throws or starts is ours.
    const flush = () => {
      timer = 0;
      Promise.resolve().then(client.flush.bind(client)).catch(() => {});
    };

    const listeners = {
      experiment_evaluation: evaluated,
      layer_evaluation: evaluated,
      gate_evaluation: () => get(settings(), "gates") && soon(),
      pre_logs_flushed: ({ events }) => events.forEach((event) => attempt(() => take(event))),
    };

    function evaluated({ experiment, layer }) {
      const { name, ruleID, __evaluation } = experiment || layer;
      known.set([name, ruleID].join(), __evaluation);
      if (__evaluation?.is_user_in_experiment) soon();
    }

    // At most one flush for many evaluations, and ever fewer of them: each may be a request.
    function soon() {
      timer ||= setTimeout(flush, (pause = Math.min(pause * 2, LONGEST_PAUSE)));
    }

    function take(exposure) {
      const { eventName, metadata, user, time } = exposure;
      const [, kind] = /^statsig::(\w+)_exposure$/.exec(eventName) || [];
      if (!kind || taken.has(exposure)) return;
      taken.add(exposure);
      const { config, ruleID } = metadata;
      const evaluation = known.get([config, ruleID].join()) || attempt(() => stored(client, kind === "layer" ? "layer_configs" : "dynamic_configs", config));
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
  const [kind, reason, rule] = ["kind", "reason", "ruleID"].map((name) => text(get(event, name)));
  const evaluation = get(event, "evaluation");
  const [isGate, isConfig] = [kind === "gate", kind === "config"];
  const [active, inside] = ["is_experiment_active", "is_user_in_experiment"].map((name) => get(evaluation, name));
  if ((isGate && get(settings, "gates") !== true) || (isConfig && evaluation && active === undefined)) return;
  const decision = make("statsig", now, event, "experimentKey=gate experimentKey=allocatedExperiment variationId=gateValue variationId=ruleID");
  if (isConfig) take(decision, event, "experimentKey=config");
  else decision.properties = isGate ? { rule_id: rule } : { layer_name: text(get(event, "config")) };
  // The evaluation of another group, after a change of user, tells nothing. A layer's parameter may
  // have a rule of its own.
  const own = find([evaluation], rule, "rule_id");
  take(decision, own, "variationName=group_name");
  // The user, even where whole companies are decided about: each visitor is exposed.
  if (get(evaluation, "id_type") !== "stableID") take(decision, event, "userId=user.userID");
  take(decision, event, "userId=user.customIDs.stableID");
  take(decision, ask(client, "getContextHandle"), "userId=stableID");
  if (/^LocalOverride/.test(reason)) decision.qa = reason;
  unexposed(decision,
    !/:Recognized$/.test(reason) ? "Statsig had no value: " + reason
    : !isComplete(decision) ? "the parameter is in no experiment"
    : isGate ? ""
    : !(isConfig ? own : evaluation) ? "its group is not known"
    : active !== true ? "the experiment does not run"
    : inside !== true && "the user is not in the experiment"
  );
  return decision;
}
