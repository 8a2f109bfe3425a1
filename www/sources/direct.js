// `trackDecision`: the door for any tool that has a callback of its own. As such a callback it can be
// handed over itself, so it takes what those get: an object, or the experiment, the variant and an
// object with the rest.
import { experimentOf, isComplete, isPlausible, make, readHoldback, readId, refuse, take, unexposed, variationOf } from "../decision.js";
import { fault, fields, get, isObject, moment, text } from "../read.js";

const WHO = "trackDecision: field";
const IDS = "experimentId experimentKey variationId variationKey campaignId userId".split(" ");

/** Reads the arguments of a call made at `now`. Mistakes that leave the decision usable go to `mistakes`. */
export function read(args, now, mistakes) {
  const decision = make("direct", now);
  const [first, second, rest] = args;
  const byPosition = text(first);
  refuse(decision, "invalid", !byPosition && !isObject(first) && fault("trackDecision", "argument 1", first, "an object, or the id of an experiment"));
  const from = byPosition ? rest : first;
  // Where a field is told: under its name, or under another one.
  const place = (name) => [name, name.replace("variation", "variant").replace("decided", "assigned")].find((place) => ![undefined, null].includes(get(from, place))) || name;
  const told = (name) => get(from, place(name));
  const given = byPosition && { experimentId: first, variationId: second };
  const faults = IDS.map((name, at) => {
    const id = get(given, name) ?? told(name);
    // Who is logged out has an empty user id, and that is no mistake.
    return id === "" && at > 3 ? undefined : readId(decision, name, [WHO, place(name), id], false, mistakes);
  });
  take(decision, from, "experimentName variationName variationName=variantName campaignName label=source");
  decision.isHoldback = readHoldback(told("isHoldback"), WHO, mistakes);
  const time = told("decidedAt");
  if (isPlausible(moment(time), now)) decision.decidedAt = moment(time);
  else if (time !== undefined) mistakes.push(fault(WHO, place("decidedAt"), time, "a time in ms, a Date or ISO 8601"));
  const properties = told("properties");
  if (properties !== undefined) decision.properties = fields(WHO, "properties", properties, mistakes);
  // A faulty id costs the decision only where there is no other.
  faults.forEach((fault, at) => {
    if (at < 4 && !isComplete(decision)) refuse(decision, "invalid", fault);
    else if (fault) mistakes.push(fault);
  });
  refuse(decision, "invalid", !experimentOf(decision) && readId(decision, "experimentId", [WHO, "experimentId", get(from, "experimentId")], true, mistakes));
  unexposed(decision, !variationOf(decision) && "no variation");
  return decision;
}
