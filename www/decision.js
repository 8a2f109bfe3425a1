// The decision: that an experiment tool picked a variation, the only thing that travels here, told in
// one vocabulary for all tools. Its fields are called as page code sees them.
import { wall } from "./clock.js";
import { at, cut, fault, text } from "./read.js";

const DAY = 86400000;
const MILLENNIUM = 946684800000;
const SHOWN = "campaignId campaignName experimentId experimentKey experimentName variationId variationKey variationName flagKey userId";

/** A decision of which nothing but its source and time is known (now, where no other is told), and what `from` tells. */
export function make(source, decidedAt, from, table = "") {
  const decision = { __proto__: null, source, decidedAt: decidedAt || wall(), isHoldback: false };
  take(decision, from, table);
  return decision;
}

/** Fills in a field that is not known yet and came as a string, a number or a BigInt. Says whether it was new. */
export function fill(decision, name, value) {
  const whole = text(value);
  if (!whole || decision[name]) return false;
  decision[name] = cut(whole);
  if (decision[name] !== whole) decision.shortened = true;
  return true;
}

/**
 * Fills in what `from` tells. Each word of `table` is a field and the path where it is told, or a field
 * that is called the same there; the first of several places counts. Says whether anything was new.
 */
export function take(decision, from, table) {
  const isNews = (word) => {
    const [name, path = name] = word.split("=");
    return fill(decision, name, at(from, path));
  };
  return table.split(" ").filter(isNews).length > 0;
}

/** Refuses the decision where there is a reason: nobody was exposed, or the report is faulty. The first one counts. */
export function refuse(decision, verdict, why) {
  if (why && !decision.refused) Object.assign(decision, { refused: verdict, refusal: why });
}

/** Refuses the decision as no exposure, where there is a reason for that. */
export const unexposed = (decision, why) => refuse(decision, "not-an-exposure", why);

export const sourceOf = (decision) => decision.label || decision.source;
export const experimentOf = ({ experimentId, experimentKey }) => experimentId || experimentKey || "";
export const variationOf = ({ variationId, variationKey }) => variationId || variationKey || "";

/** Whether it says what was decided. */
export const isComplete = (decision) => experimentOf(decision) && variationOf(decision);

/**
 * Reads an id with no digit lost. A number that had lost digits before it came to us is taken as it
 * came, and reported. The answer is what is wrong with something that is no id at all; with nothing,
 * or `null`, only when one is `needed`.
 */
export function readId(decision, name, [who, field, value], needed, mistakes) {
  const good = value === undefined || value === null ? !needed : typeof value === "number" ? Number.isFinite(value) : text(value);
  if (!good) return fault(who, field, value, "a string or a number that is not empty");
  if (typeof value === "number" && Math.abs(value) >= 2 ** 53) mistakes.push(fault(who, field, value, "a string: beyond 2^53 numbers lose digits"));
  fill(decision, name, value);
}

/** Reads a flag that tools spell as boolean, number or string. Never its truthiness: `"false"` is no holdback. */
export function readHoldback(value, who, mistakes) {
  value ??= false;
  const place = ["false", "0", "true", "1"].indexOf(typeof value === "boolean" ? "" + value : text(value));
  if (place < 0) mistakes.push(fault(who, "isHoldback", value, "true or false"));
  return place > 1;
}

/** Whether it can have been made at this moment, told at `now`: no later than clocks that disagree can make it. */
export const isPlausible = (moment, now) => moment >= MILLENNIUM && moment <= now + DAY;

/** What tells it from others: the dedupe key, what was decided about whom. Never the experiment alone. */
export function keyFields(decision) {
  // GrowthBook counts an experiment once, whatever feature asked for it.
  const group = decision.campaignId || (decision.source !== "growthbook" && decision.flagKey) || "";
  return [sourceOf(decision), group, experimentOf(decision), decision.userId || ""];
}

/** What was decided: two decisions with the same key and the same outcome are the same. */
export const outcomeFields = (decision) => [variationOf(decision), decision.isHoldback ? "holdback" : ""];

/** Takes over what the same decision, told by another entrance, knows more. Says whether anything was new. */
export function enrich(decision, other) {
  const landed = land(decision, other.referrer);
  return take(decision, other, "campaignName experimentName variationName audienceId audienceName") || landed;
}

/** Makes it the decision of this page, where its redirect landed, coming from `referrer`. */
export function land(decision, referrer) {
  const landed = fill(decision, "referrer", referrer);
  if (landed) decision.pageUrl = "";
  return landed;
}

/** The decision as page code sees it. */
export function shown(decision) {
  const { isHoldback, decidedAt } = decision;
  const told = { source: sourceOf(decision), isHoldback, decidedAt };
  take(told, decision, SHOWN);
  return told;
}
