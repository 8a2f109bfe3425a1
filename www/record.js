// How a decision that waits is written down, so that the next page can take it over.
import { fill, isComplete, isPlausible, make } from "./decision.js";
import { attempt, fields, get, isObject, keys, written } from "./read.js";
import { isSource } from "./spelling.js";

const VERSION = 3;

/** `to`: for each destination it still goes to `[destination, occurrence, idempotency key, whether it was offered]`. */
export const record = ({ decision, receivedAt, period, isQa, isPreview }, to) =>
  written({ v: VERSION, receivedAt, period, isQa, isPreview, to, decision });

/** Reads a record. What another script may have left there instead is no item. */
export function revive(entry, now) {
  const told = attempt(() => JSON.parse(entry));
  const from = get(told, "decision");
  if (!isObject(from) || told.v !== VERSION || !isSource(from.source) || ![from.decidedAt, told.receivedAt].every(Number.isFinite) || !isPlausible(from.decidedAt, now)) return;
  const decision = make(from.source, from.decidedAt);
  for (const name of keys(from)) if (typeof from[name] === "string" && !/^(refus|prop|may)/.test(name)) fill(decision, name, from[name]);
  for (const name of ["isHoldback", "personalization"]) decision[name] = from[name] === true;
  if (isObject(from.properties)) decision.properties = fields("", "", from.properties, []);
  const good = ([index, occurrence, id]) => [index, occurrence].every((count) => Number.isInteger(count) && count >= 0) && index < 7 && typeof id === "string" && /^.{1,100}$/.test(id);
  const to = attempt(() => told.to.slice(0, 7).filter(good));
  if (!to?.length || !isComplete(decision)) return;
  return { __proto__: null, decision, to, receivedAt: told.receivedAt, period: told.period, isQa: told.isQa === true, isPreview: told.isPreview === true };
}
