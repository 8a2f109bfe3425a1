// OpenFeature's web SDK: a hook for the whole API. It tells of nothing that came before. It does not
// know what an experiment is, so a filter has to tell.
import { isComplete, make } from "../decision.js";
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
  fits: (client) => can(client, "addHooks") && client,
  // No event tells that it has come, and the flags that are read at once can't be had later.
  find: (named, look) => [late(KEY, look)],
  hook(api, told, settings) {
    // `finally`, because a throw in `after` would give the page its default value.
    api.addHooks({
      finally: ({ context }, details) => void attempt(() => told(read({ ...details, targetingKey: context.targetingKey }, settings()))),
    });
  },
};

/**
 * Reads one evaluation, unless it is filtered out: by the site's list of flags; by what the flag's
 * metadata say (`experiment: false`, or `true`, or the key of the experiment); by its reason. A provider
 * may know no good reason (`CACHED`, or none), so a flag that the site lists needs none, it only must
 * not be fixed. Errors and flags that are disabled have no variant.
 */
export function read(event, settings) {
  const marked = at(event, "flagMetadata.experiment");
  const reason = get(event, "reason");
  const [flags, reasons] = ["flags", "reasons"].map((name) => isList(get(settings, name)) && settings[name].map(text));
  const decision = make("openFeature", 0, event, "experimentKey=flagMetadata.experiment experimentKey=flagKey flagKey variationKey=variant userId=targetingKey");
  const counts =
    typeof marked === "boolean" ? marked
    : typeof marked === "string" || (reasons ? reasons.includes(text(reason)) : flags ? !FIXED.includes(reason) : CHOSEN.includes(reason));
  return counts && (!flags || flags.includes(decision.flagKey)) && isComplete(decision) ? decision : undefined;
}
