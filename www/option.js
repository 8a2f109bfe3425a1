// The kinds of options. Each: its default, what is wanted, and `(value, name, mistakes)`, which gives what
// it takes, nothing when that is not what is wanted.
import { attempt, cut, fault, fields, get, isList, isObject, keys, oneOf, written } from "./read.js";

const WHO = "init: option";

export const choice = (standard, ...known) => [standard, oneOf(known), (value) => known.find((one) => one === value)];
export const flag = (standard) => choice(standard, true, false);

export const string = (wanted = "a string that is not empty", good = /\S/) => [null, wanted, (value) => {
  const text = typeof value === "string" ? cut(value) : "";
  return good.test(text) ? text : undefined;
}];

export const number = (standard, least, most = 9e15) => [
  standard,
  "a number of " + least + " to " + most,
  (value) => (typeof value === "number" && value >= least && value <= most ? Math.floor(value) : undefined),
];

/** A copy of anything that JSON can carry. */
export const json = [null, "what JSON can carry", (value) => attempt(() => JSON.parse(written(value)))];

/** An object of strings, numbers and booleans, or of what else is read so. */
export const object = (...how) => [{}, "", (value, name, mistakes) => fields(WHO, name, value, mistakes, ...how)];

// Of what is known, or of texts that are not empty; names whatever else is in it. A list without one good
// entry is as good as none.
export const list = (standard, wanted, known) => [standard, wanted, (value, name, mistakes) => {
  if (!isList(value)) return value === standard ? value : undefined;
  const given = keys(value).map((place) => get(value, place));
  const good = known || given.filter((item) => typeof item === "string" && item);
  given.forEach((item, place) => good.includes(item) || mistakes.push(fault(WHO, name + "[" + place + "]", item, known ? oneOf(known) : wanted)));
  const taken = good.filter((item) => given.includes(item));
  return given.length && !taken.length ? standard : taken;
}];

/** `null` and `false`, like what is not there. */
export const asksNothing = (value) => (value ?? false) === false;

/** A group of options, by their names. */
export function group(kinds) {
  const read = (value, name, mistakes) => {
    const given = asksNothing(value) ? {} : value;
    if (!isObject(given)) return;
    const prefix = name && name + ".";
    const options = { __proto__: null };
    for (const key of keys(kinds)) options[key] = readOne(kinds[key], get(given, key), prefix + key, mistakes);
    for (const key of keys(given)) if (!(key in options) && get(given, key) !== undefined) mistakes.push(WHO + " `" + prefix + cut(key) + "` is not known");
    return options;
  };
  return [read(null, "", []), "an object", read];
}

function readOne([standard, wanted, take], value, name, mistakes) {
  // As good as not given.
  if (value === undefined) return standard;
  const taken = take(value, name, mistakes);
  if (taken !== undefined) return taken;
  mistakes.push(fault(WHO, name, value, wanted));
  return standard;
}
