// Looking at values of which nothing is known. No look throws: what cannot be read is missing, and so
// is all that is in it, and what only a polluted Object.prototype lends.
const COMMON = Object.prototype;

export function attempt(action, otherwise) {
  try {
    return action();
  } catch (error) {
    return otherwise && otherwise(error);
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

/** What a method answers. */
export const ask = (value, method, ...args) => (typeof get(value, method) === "function" ? attempt(() => value[method](...args)) : undefined);

/** Whether it is a list. Asking a revoked proxy throws. */
export const isList = (value) => !!attempt(() => Array.isArray(value));

export const isObject = (value) => typeof value === "object" && value !== null && !isList(value);

/** The names of an object's own fields, or of a list's places: so many that no page hangs. */
export const keys = (value) => (Object(value) === value && attempt(() => Object.keys(value).slice(0, 1000))) || [];

/** The text of a string, a number or a BigInt; empty for anything else. */
export const text = (value) => (/^(string|number|bigint)$/.test(typeof value) ? String(value) : "");

/** The first text there is among these values. */
export const first = (...values) => values.map(text).find(Boolean);

/** A text, cut at so many characters: never within one. */
export const cut = (text, most = 512) => (text.length > most ? [...text.slice(0, 2 * most)].slice(0, most).join("") : text);

/** A moment in ms since the epoch, of a number, a Date or ISO 8601; NaN for anything else. */
export const moment = (value) => Math.floor(typeof value === "number" ? value : typeof value === "string" ? Date.parse(value) : ask(value, "getTime"));

/** How an error message spells a value: short, and without what it holds. */
export function spelled(value) {
  if (typeof value === "string") return '"' + (cut(value, 40) === value ? value : cut(value, 40) + "…") + '"';
  if (typeof value === "bigint") return value + "n";
  if (value === null || /^(boolean|number)$/.test(typeof value)) return "" + value;
  if (typeof value === "function") return "a function";
  return isList(value) ? "a list" : typeof value === "object" ? "an object" : "missing";
}

/** The sentence about a faulty value: who was called, what part of it, what came, what was wanted. */
export const fault = (who, part, came, wanted) => who + " `" + part + "` is " + spelled(came) + ", must be " + wanted;

/** `"a" or "b"` */
export const oneOf = (names) => '"' + names.join('" or "') + '"';

/** Reads an object of strings, numbers and booleans; names whatever else is in it. */
export function scalars(who, name, value, mistakes) {
  const fields = {};
  if (!isObject(value)) {
    mistakes.push(fault(who, name, value, "an object"));
    return fields;
  }
  let size = 0;
  for (const key of keys(value)) {
    const found = get(value, key);
    const short = cut(key);
    if (found === undefined || found === null) continue;
    const plain = typeof found === "string" ? cut(found) : found;
    // Tools refuse events of more than 32 KB.
    size += short.length + text(plain).length;
    if (size > 4096) {
      mistakes.push(who + " `" + name + "` is longer than 4096 characters, the rest is left out");
      break;
    }
    if (/^(string|boolean)$/.test(typeof plain) || Number.isFinite(plain)) put(fields, short, plain);
    else mistakes.push(fault(who, name + "." + short, found, "a string, a number or a boolean"));
  }
  return fields;
}

/** Sets a field, `__proto__` like any other. */
export function put(fields, name, value) {
  Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The pairs of a cookie string or a query, each decoded by itself: what is not well encoded stays. */
export const pairs = (all, divider) =>
  String(all || "").slice(0, 32000).split(divider).map((pair) => {
    const [, name, value] = /^ *([^=]*)=?([^]*)$/.exec(pair);
    return [name, value].map((part) => attempt(() => decodeURIComponent(part)) ?? part);
  });

/** The value of a cookie; empty when there is none. */
export const cookie = (name) => (pairs(attempt(() => document.cookie), ";").find(([known]) => known === name) || [])[1] || "";
