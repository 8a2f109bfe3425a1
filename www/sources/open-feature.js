// OpenFeature's web SDK: a hook for the whole API. It tells of nothing that came before. It does not
// know what an experiment is, so a filter has to tell.
import { isComplete, make, take } from "../decision.js";
import { at, attempt, can, get, isList, text } from "../read.js";
import { late } from "./late.js";

const KEY = Symbol.for("@openfeature/web-sdk/api");
// The reasons of a choice that depends on the visitor, and of what is the same for everybody.
const CHOSEN = ["SPLIT", "TARGETING_MATCH"];
const FIXED = ["STATIC", "DEFAULT"];

export default {
  kind: "openFeature",
  wanted: "the OpenFeature API",
  hooked: "finally",
  fits: (client) => can(client, "addHooks"),
  // No event tells that it has come, and the flags that are read at once can't be had later.
  find: (named, look) => [late(KEY, look)],
  hook(api, told, settings) {
    let on = true;
    // `finally`, because a throw in `after` would give the page its default value. No hook can be
    // taken out again.
    api.addHooks({
      finally: ({ context }, details) => void (on && attempt(() => told(read({ ...details, targetingKey: context.targetingKey }, settings(), Date.now())))),
    });
    return () => (on = false);
  },
};

/**
 * Reads one evaluation, unless it is filtered out: by the site's list of flags; by what the flag's
 * metadata say (`experiment: false`, or `true`, or the key of the experiment); by its reason. A provider
 * may know no good reason (`CACHED`, or none), so a flag that the site lists needs none, it only must
 * not be fixed. Errors and flags that are disabled have no variant.
 */
export function read(event, settings, now) {
  const decision = make("openFeature", now);
  const marked = at(event, "flagMetadata.experiment");
  const flag = get(event, "flagKey");
  take(decision, event, "experimentKey=flagMetadata.experiment experimentKey=flagKey flagKey variationKey=variant userId=targetingKey");
  // Nothing where there is no list.
  const has = (name, value) => (isList(get(settings, name)) ? settings[name].some((entry) => text(entry) === text(value)) : undefined);
  const listed = has("flags", flag);
  const reason = get(event, "reason");
  const counts =
    typeof marked === "boolean" ? marked
    : typeof marked === "string" || (has("reasons", reason) ?? (listed === undefined ? CHOSEN.includes(reason) : !FIXED.includes(reason)));
  return counts && listed !== false && isComplete(decision) ? decision : undefined;
}
