// What the module may ask of the page: verbs without rules. Each catches whatever the page may
// throw, since a throw through WebAssembly would leave the module half alive.
import { loadSegment, track } from "./segment.js";

const UNIT = "\x1f"; // divides values
const ENTRY = "\x1e"; // divides the entries of one value
const NAME = "\x1d"; // divides the name of an entry from its value
const PREFIX = "decision-bridge/1/";
const LONGEST = 2000; // characters of a text that go into the module
const SHELVES = ["", "sessionStorage", "localStorage"];
const COMMON = Object.prototype;

export function attempt(action, otherwise) {
  try {
    return action();
  } catch (error) {
    return otherwise && otherwise(error);
  }
}

// `call(method, …arguments)` calls into the module; `tell` is the report's.
export function makePage(call, tell, nonce) {
  const memory = [new Map(), new Map(), new Map()];
  let stores = [];
  const listened = [];
  let listening = true;

  return {
    pick: (value, paths, args) => pick(value, paths.split(" "), args.split(UNIT)),
    tell,

    read: (shelf, name) => attempt(() => stores[shelf].getItem(name)) ?? memory[shelf].get(name) ?? "",
    write(shelf, name, entry) {
      const kept = attempt(() => {
        stores[shelf].setItem(name, entry);
        return stores[shelf].getItem(name) === entry;
      });
      if (kept) return void memory[shelf].delete(name);
      memory[shelf].set(name, entry);
      if (stores[shelf]) tell("warning", 0, "storage is full, or does not keep what is written: decisions are remembered on this page only");
    },
    remove(shelf, name) {
      attempt(() => name.startsWith(PREFIX) && stores[shelf].removeItem(name));
      memory[shelf].delete(name);
    },
    names(shelf, prefix) {
      const stored = attempt(() => Object.keys(stores[shelf])) || [];
      const names = stored.concat([...memory[shelf].keys()]).filter((name) => name.startsWith(prefix));
      return names.sort().join(UNIT);
    },
    open(yes) {
      // Even naming them throws where they are blocked.
      stores = SHELVES.map((name) => (yes && name ? attempt(() => window[name]) : undefined));
      if (!yes) memory.forEach((shelf) => shelf.clear());
      return !!(stores[1] && stores[2]);
    },

    facts(names) {
      const first = attempt(() => new URL(performance.getEntriesByType("navigation")[0].name).search) || "";
      const session = names && names.split(" ").map((name) => name + "=" + (attempt(() => sessionStorage[name]) || ""));
      return [
        decoded(attempt(() => document.cookie)),
        decoded(first.slice(1) + "&" + location.search.slice(1)),
        location.origin + location.pathname,
        location.pathname,
        document.title,
        location.host,
        document.prerendering ? "1" : "",
        session ? session.join(";") : "",
      ]
        .map(clean)
        .join(UNIT);
    },
    iso: (moment) => attempt(() => new Date(moment).toISOString()) || "",
    random: () => Array.from({ length: 26 }, () => ((Math.random() * 36) | 0).toString(36)).join(""),
    steady: () => attempt(() => performance.now()) ?? Date.now(),

    loadSegment: (key, cdn) =>
      attempt(
        () => loadSegment(key, cdn, nonce),
        (error) => tell("warning", 0, "analytics.js could not be loaded: " + error)
      ),
    track: (name, properties, options, id, stub, middleware) =>
      attempt(
        () => track(name, JSON.parse(properties), JSON.parse(options), stub, middleware, () => call("confirmed", "" + id)),
        (error) => "!" + clean(error)
      ),

    listenToOptimizely(client, make) {
      return !!attempt(() => {
        if (make && !window[client]) window[client] = [];
        const found = window[client];
        if (!found || typeof found.push !== "function" || found.nodeType || listened.includes(client)) return false;
        listened.push(client);
        listening = true;
        for (const name of ["campaignDecided", "initialized"]) {
          found.push({
            type: "addListener",
            filter: { type: "lifecycle", name },
            handler: (event) => listening && call(name, event, client),
          });
        }
        return true;
      });
    },
    stopListening() {
      listening = false;
    },
  };
}

// Walks each path once; what several paths begin with is read once.
function pick(root, paths, args) {
  const walked = new Map();
  const walk = (steps) => {
    if (!steps.length) return root;
    const path = steps.join(".");
    if (!walked.has(path)) {
      const value = walk(steps.slice(0, -1));
      walked.set(path, attempt(() => step(value, steps[steps.length - 1], args)));
    }
    return walked.get(path);
  };
  const one = (path) => {
    const steps = path.split(".");
    const many = steps.findIndex((name) => name[0] === "*");
    if (many < 0) return told(walk(steps));
    const list = walk(steps.slice(0, many));
    const rest = steps.slice(many + 1);
    if (!rest.length) return entries(list);
    const texts = Array.isArray(list) ? list.map((item) => told(rest.reduce((value, name) => attempt(() => step(value, name, args)), item)).slice(1)) : [];
    return texts.length ? "s" + texts.join(steps[many] === "*" ? "," : ", ") : "m";
  };
  return paths.map((path) => attempt(() => one(path)) || "m").join(UNIT);
}

function step(value, name, args) {
  if (Object(value) !== value) return;
  const method = /^(\w+)([!@])(\w*)$/.exec(name);
  if (method) {
    const [, called, sign, word] = method;
    if (typeof value[called] !== "function") return;
    return sign === "!" ? (word ? value[called](word) : value[called]()) : value[called]({ [word]: args[0] });
  }
  if (name[0] === "?") return value.find((item) => item && String(item.id) === args[name[1]]);
  if (name[0] === "$") name = args[name[1]];
  const moment = name.endsWith("%");
  if (moment) name = name.slice(0, -1);
  const found = value[name];
  // What a polluted prototype lends does not count.
  if (found === COMMON[name]) return;
  if (!moment) return found;
  return typeof found === "number" ? found : typeof found === "string" ? Date.parse(found) : found && +found.getTime();
}

const KINDS = { undefined: "m", symbol: "m", boolean: "b", number: "d", string: "s", bigint: "g", function: "f" };

// A value as its kind and text.
function told(value) {
  const kind = value === null ? "n" : KINDS[typeof value] || (Array.isArray(value) ? "l" : "o");
  return kind + ("bdsg".includes(kind) ? clean(value) : "");
}

function entries(value) {
  const kind = told(value);
  if (kind !== "o" && kind !== "l") return kind;
  const each = (name) => clean(name) + NAME + attempt(() => told(value[name]), () => "m");
  return kind + Object.keys(value).slice(0, 1000).map(each).join(ENTRY);
}

function clean(value) {
  return String(value).slice(0, LONGEST).replace(/[\x1d-\x1f]/g, " ");
}

function decoded(text) {
  return attempt(() => decodeURIComponent(text || "")) ?? text;
}
