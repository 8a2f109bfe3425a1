// Looking at values of which nothing is known. No look throws: what cannot be read is missing, and so
// is all that is in it, and what only a polluted Object.prototype lends.
const COMMON = Object.prototype;

export function attempt(action, otherwise) {
  try {
    return action();
  } catch (error) {
    return otherwise?.(error);
  }
}

/** The field `name` of a value. */
export function get(value, name) {
  if (Object(value) !== value) return;
  return attempt(() => {
    const found = value[name];
    return found === COMMON[name] ? undefined : found;
  });
}

/** What stands at a path like `data.decision.campaignId`. */
export const at = (value, path) => path.split(".").reduce(get, value);

/** Whether it has all these methods. */
export const can = (value, ...methods) => methods.every((name) => typeof get(value, name) === "function");

/** What a method answers, if there is one: an error that is thrown and caught takes longer than all the rest. */
export const ask = (value, method, ...args) => attempt(() => value?.[method]?.(...args));

/** Whether it is a list. Asking a revoked proxy throws. */
export const isList = (value) => attempt(() => Array.isArray(value));

export const isObject = (value) => value && typeof value === "object" && !isList(value);

/** The names of an object's own fields, or of a list's places: so many that no page hangs. */
export const keys = (value) => (Object(value) === value && attempt(() => Object.keys(value).slice(0, 1000))) || [];

/** The one in a list that has this id, or whatever `field` it goes by. */
export const find = (list, id, field = "id") => isList(list) && id && list.find((item) => text(get(item, field)) === id);

/** The text of a string, a number or a BigInt; empty for anything else. */
export const text = (value) => (/^(string|number|bigint)$/.test(typeof value) ? String(value) : "");

/** A text, cut at so many characters: never within one. */
export const cut = (text, most = 512) => [...text.slice(0, 2 * most)].slice(0, most).join("");

/** A moment in ms since the epoch, of a number, a Date or ISO 8601; none for anything else. */
export const moment = (value) => attempt(() => Math.floor(new Date(value)));

/** How an error message spells a value: short, and without what it holds. */
export function spelled(value) {
  const type = typeof value;
  if (type === "string") return '"' + cut(value, 40) + (cut(value, 40) === value ? "" : "…") + '"';
  if (value === null || /^[bn]/.test(type)) return value + (type === "bigint" ? "n" : "");
  return isList(value) ? "a list" : type === "object" ? "an object" : type === "function" ? "a function" : "missing";
}

/** The sentence about a faulty value: who was called, what part of it, what came, what was wanted. */
export const fault = (who, part, came, wanted) => who + " `" + part + "` is " + spelled(came) + ", must be " + wanted;

/** `"a" or "b"` */
export const oneOf = (values) => values.map(spelled).join(" or ");

// A kind like those of options.
const scalar = [null, "a string, a number or a boolean", (value) => (typeof value === "string" ? cut(value) : typeof value === "boolean" || Number.isFinite(value) ? value : undefined)];

/** Reads an object, each field of it as one of this kind; names whatever is not what is wanted. */
export function fields(who, name, value, mistakes, most = 4096, [, wanted, read] = scalar) {
  const good = [];
  let size = 0;
  if (!isObject(value)) mistakes.push(fault(who, name, value, "an object"));
  else for (const key of keys(value)) {
    const found = get(value, key);
    const field = [cut(key), read(found)];
    // Tools refuse events of more than 32 KB.
    size += JSON.stringify(field).length;
    if (size > most) {
      mistakes.push(who + " `" + name + "` is longer than " + most + " characters, the rest is left out");
      break;
    }
    if (field[1] !== undefined) good.push(field);
    else if ((found ?? null) !== null) mistakes.push(fault(who, name + "." + field[0], found, wanted));
  }
  // Takes `__proto__` for a name like any other.
  return Object.fromEntries(good);
}

/** It as JSON, whatever `toJSON` a library gave to lists. Where none did it goes without a replacer, which is slow. */
export const written = (value) =>
  JSON.stringify(value, [].toJSON && function (name, told) {
    return isList(this[name]) ? this[name] : told;
  });

/** Sets a field, `__proto__` like any other. */
export function put(fields, name, value) {
  Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The pairs of a cookie string or a query, each decoded by itself: what is not well encoded stays. */
export const pairs = (all, divider) =>
  text(all).slice(0, 32000).split(divider).map((pair) => {
    const [, name, value] = /^[ ?]*([^=]*)=?([^]*)$/.exec(pair);
    return [name, value].map((part) => attempt(() => decodeURIComponent(part)) ?? part);
  });

/** The value of a cookie; empty when there is none. */
export const cookie = (name) => pairs(attempt(() => document.cookie), ";").find(([known]) => known === name)?.[1] || "";
