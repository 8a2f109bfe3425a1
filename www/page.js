// What the module may ask of the page: verbs without rules. Each catches whatever the page may
// throw, since a throw through WebAssembly would leave the module half alive.
import { destination } from "./destinations.js";
import { loadSegment } from "./destinations/segment.js";

const UNIT = "\x1f"; // divides values
const ENTRY = "\x1e"; // divides the entries of one value
const NAME = "\x1d"; // divides the name of an entry from its value
const PREFIX = "decision-bridge/1/";
const LONGEST = 2000; // characters of a text that go into the module
const LONGEST_FACT = 32000; // and of a cookie string, a query or an entry in storage
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
export function makePage(call, tell, sources, makeServe, nonce) {
  const memory = [new Map(), new Map(), new Map()];
  let stores = [];
  const trusted = []; // shelves that were seen to keep what is written
  let timer;
  let cookies; // read once per task: it costs more than all the rest
  let first; // the query the page was loaded with: some tools tidy the address

  const verbs = {
    pick: (value, paths, args) => pick(value, paths, args.split(UNIT)),
    walk: (value, path, args) => path.split(".").reduce((at, name) => safeGo(at, stepOf(name), args.split(UNIT)), value),
    tell,

    // Any script of the site can have written there, as much as it likes.
    read: (shelf, name) => (memory[shelf].get(name) ?? attempt(() => stores[shelf].getItem(name)) ?? "").slice(0, LONGEST_FACT),
    write(shelf, name, entry) {
      if (/\/out\//.test(name)) tell("kept", +name.slice(-7), "");
      const kept = attempt(() => {
        stores[shelf].setItem(name, entry);
        return (trusted[shelf] = trusted[shelf] || stores[shelf].getItem(name) === entry);
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
      first ??= attempt(() => new URL(performance.getEntriesByType("navigation")[0].name).search.slice(1)) || "";
      if (cookies === undefined) {
        cookies = pairs(attempt(() => document.cookie), ";");
        Promise.resolve().then(() => (cookies = undefined));
      }
      const now = location.search.slice(1);
      const session = names && names.split(" ").map((name) => name + "=" + (attempt(() => sessionStorage[name]) || ""));
      return [
        cookies,
        pairs(first === now ? now : first + "&" + now, "&"),
        location.origin + location.pathname,
        location.pathname,
        attempt(() => document.title),
        location.host,
        document.prerendering ? "1" : "",
        session ? session.join(";") : "",
      ]
        .map((text) => attempt(() => clean(text, LONGEST_FACT)) || "")
        .join(UNIT);
    },
    iso: (moment) => attempt(() => new Date(moment).toISOString()) || "",
    random: () => Array.from({ length: 26 }, () => ((Math.random() * 36) | 0).toString(36)).join(""),
    window: () => window,
    wake(ms) {
      attempt(() => clearTimeout(timer));
      if (ms !== undefined) timer = setTimeout(() => call("woken"), ms);
    },
    wall: () => attempt(() => Date.now()) || 0,
    steady: () => attempt(() => performance.now()) ?? Date.now(),

    loadSegment: (key, cdn) =>
      attempt(
        () => loadSegment(key, cdn, nonce),
        (error) => tell("warning", 0, "analytics.js could not be loaded: " + error)
      ),
    send: (kind, name, properties, options, user, id, stub) =>
      attempt(
        () => {
          const event = { name, properties: JSON.parse(properties), options: JSON.parse(options), user: JSON.parse(user) };
          exposures.add(name);
          return destination(kind).send(event, stub, () => call("confirmed", kind, "" + id), beside.traits);
        },
        (error) => "!" + (attempt(() => clean(error)) ?? "something that has no text")
      ),
    find(names, all) {
      sources.find(names, all);
      beside.look();
    },
    serve: (options) => beside.serve(options),
  };
  const exposures = new Set(); // the names of what was sent
  const beside = makeServe(call, verbs, exposures);
  // Whatever the page throws, the module gets nothing: "" is false and 0 to it too.
  for (const name of Object.keys(verbs)) {
    const verb = verbs[name];
    verbs[name] = (...args) => attempt(() => verb(...args), () => "");
  }
  return verbs;
}

// All paths as one tree, so that what several begin with is walked once: the steps that lead on
// from here by name, and the places of the paths that end here.
const trees = new Map();

function treeOf(paths) {
  if (!trees.has(paths)) {
    const root = { next: new Map(), ends: [] };
    paths.split(" ").forEach((path, place) => {
      let at = root;
      for (const name of path.split(".")) {
        if (!at.next.has(name)) at.next.set(name, stepOf(name));
        at = at.next.get(name);
      }
      at.ends.push(place);
    });
    trees.set(paths, root);
  }
  return trees.get(paths);
}

function stepOf(name) {
  const [, word, sign, argument] = /^([\w*$?-]+)([!@%]?)(.*)$/.exec(name);
  return { word, sign, argument, next: new Map(), ends: [] };
}

function pick(root, paths, args) {
  const found = paths.split(" ").fill("m");
  walk(root, treeOf(paths), args, (place, text) => (found[place] = text));
  return found.join(UNIT);
}

function walk(value, tree, args, put) {
  for (const step of tree.next.values()) {
    if (step.word[0] === "*") all(value, step, args, put);
    else {
      const next = safeGo(value, step, args);
      for (const place of step.ends) put(place, told(next));
      if (next !== undefined && next !== null) walk(next, step, args, put);
    }
  }
}

// All entries, or the texts behind each element of a list.
function all(value, step, args, put) {
  for (const place of step.ends) put(place, attempt(() => entries(value, step.argument ? asJson : told)) || "m");
  if (!isList(value)) return;
  const texts = {};
  for (const item of attempt(() => Array.prototype.slice.call(value, 0, 1000)) || []) walk(item, step, args, (place, text) => (texts[place] ??= []).push(text.slice(1)));
  for (const place of Object.keys(texts)) put(place, "s" + texts[place].join(step.word === "*" ? "," : ", "));
}

function safeGo(value, step, args) {
  return Object(value) === value ? attempt(() => go(value, step, args)) : undefined;
}

function go(value, { word, sign, argument }, args) {
  if (sign === "!") return typeof value[word] === "function" ? (argument ? value[word](argument) : value[word]()) : undefined;
  if (sign === "@") return typeof value[word] === "function" ? value[word]({ [argument]: args[0] }) : undefined;
  if (word[0] === "?") {
    const wanted = args[word[1]];
    return wanted ? value.find((item) => item && (String(item.id) === wanted || item.key === wanted)) : undefined;
  }
  const name = word[0] === "$" ? args[word[1]] : word;
  const moment = sign === "%";
  const found = value[name];
  // What a polluted prototype lends does not count.
  if (found === COMMON[name]) return;
  if (!moment) return found;
  return typeof found === "number" ? found : typeof found === "string" ? Date.parse(found) : found && +found.getTime();
}

const KINDS = { undefined: "m", symbol: "m", boolean: "b", number: "d", string: "s", bigint: "g", function: "f" };

// A value as its kind and text.
function told(value) {
  const kind = value === null ? "n" : KINDS[typeof value] || (isList(value) ? "l" : "o");
  return kind + ("bdsg".includes(kind) ? clean(value) : "");
}

// What JSON cannot carry, or only at great length, is told as what it is.
function asJson(value) {
  const json = attempt(() => JSON.stringify(value));
  return !json ? told(value) : json.length < LONGEST_FACT ? "s" + json : "o";
}

function entries(value, tell) {
  const kind = told(value);
  if (kind !== "o" && kind !== "l") return kind;
  const each = (name) => clean(name) + NAME + attempt(() => tell(value[name]), () => "m");
  return kind + Object.keys(value).slice(0, 1000).map(each).join(ENTRY);
}

// Asking a revoked proxy throws.
function isList(value) {
  return attempt(() => Array.isArray(value));
}

function clean(value, longest = LONGEST) {
  return String(value).slice(0, longest).replace(/[\x1d-\x1f]/g, " ");
}

// The pairs of a cookie string or a query, each decoded by itself: one that is not well encoded
// stays as it is, and nothing that was encoded divides them.
function pairs(text, divider) {
  const decoded = (pair) => (attempt(() => decodeURIComponent(pair)) ?? pair).split(divider).join(" ");
  return String(text || "").split(divider).map(decoded).join(divider);
}
