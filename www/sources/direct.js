// `trackDecision`: the door for any tool that has a callback of its own. As such a callback it can be
// handed over itself, so it takes what those get: an object, or the experiment, the variant and an
// object with the rest.
import { experimentOf, isPlausible, make, readHoldback, readId, refuse, take, unexposed, variationOf } from "../decision.js";
import { fault, get, isList, moment, scalars } from "../read.js";

const WHO = "trackDecision: field";
const IDS = "experimentId experimentKey variationId variationKey campaignId userId".split(" ");
const ALIASES = { __proto__: null, variationId: "variantId", variationKey: "variantKey", decidedAt: "assignedAt" };

/** Reads the arguments of a call made at `now`. Mistakes that leave the decision usable go to `mistakes`. */
export function read(args, now, mistakes) {
  const decision = make("direct", now);
  const [first, second, rest] = args;
  const byPosition = /^(string|number|bigint)$/.test(typeof first);
  if (!byPosition && (Object(first) !== first || isList(first))) {
    refuse(decision, "invalid", fault("trackDecision", "argument 1", first, "an object, or the id of an experiment"));
    return decision;
  }
  const from = byPosition ? rest : first;
  const absent = (name) => get(from, name) === undefined || get(from, name) === null;
  // Where a field is told: under its name, or under another one.
  const place = (name) => (absent(name) && ALIASES[name] && !absent(ALIASES[name]) ? ALIASES[name] : name);
  const told = (name) => get(from, place(name));
  const given = byPosition && { experimentId: first, variationId: second };
  const faults = IDS.map((name) => {
    const id = get(given, name) ?? told(name);
    // Who is logged out has an empty user id, and that is no mistake.
    return id === "" && /^(campaign|user)/.test(name) ? undefined : readId(decision, name, [WHO, place(name), id], false, mistakes);
  });
  take(decision, from, "experimentName variationName variationName=variantName campaignName label=source");
  decision.isHoldback = readHoldback(told("isHoldback"), WHO, mistakes);
  const time = told("decidedAt");
  if (isPlausible(moment(time), now)) decision.decidedAt = moment(time);
  else if (time !== undefined) mistakes.push(fault(WHO, place("decidedAt"), time, "a time in ms, a Date or ISO 8601"));
  const properties = told("properties");
  if (properties !== undefined) decision.properties = scalars(WHO, "properties", properties, mistakes);
  // A faulty id costs the decision only where there is no other.
  faults.forEach((fault, at) => {
    if (!fault) return;
    if ((at < 2 && !experimentOf(decision)) || (at > 1 && at < 4 && !variationOf(decision))) refuse(decision, "invalid", fault);
    else mistakes.push(fault);
  });
  if (!experimentOf(decision)) refuse(decision, "invalid", fault(WHO, "experimentId", get(from, "experimentId"), "a string or a number that is not empty, or `experimentKey`"));
  unexposed(decision, !variationOf(decision) && "no variation");
  return decision;
}
