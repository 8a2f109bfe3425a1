// The shell: owns window.decisionBridge, keeps what is pushed until the WebAssembly module runs,
// and sees to it that nothing of ours is ever thrown into the page. The build puts the module and
// its glue in here; all rules are in Rust.
import { instantiate } from "virtual:glue";
import { moduleBytes } from "virtual:module";
import { loadSegment, middleware } from "./segment.js";

/* global VERSION: set by the build */
const PREFIX = "[decision-bridge] ";
const METHODS = ["init", "trackLayerDecision", "trackDecision", "attach", "consent", "flush", "diagnose", "on"];
const GIVES_FUNCTION = ["attach", "on"];
const ROOM = 2000;

const tag = ownTag();
const first = Symbol.for("decision-bridge");

if (window[first]) {
  if (!window[first].warned) {
    window[first].warned = true;
    console.warn(PREFIX + "a second copy of the script does nothing; version " + window[first].version + " is running");
  }
} else {
  window[first] = { version: VERSION };
  start();
}

function start() {
  const found = attempt(() => window.decisionBridge);
  const bridge = Array.isArray(found) ? found : [];
  const pushed = bridge.splice(0);
  let waiting = []; // [method, arguments, time, what to do with the result]
  let invoke; // the module's `call`, once it runs
  let stopped = ""; // why it does not run any more
  let compiled;
  let lives = 0;
  const kept = []; // what a second instance has to be told again

  function run(method, args, then) {
    const now = Date.now();
    if (method === "init" || method === "on") kept.push([method, args, now, then]);
    if (invoke) return finish(invoke(method, args, now), then);
    if (waiting.length < ROOM) waiting.push([method, args.map(snapshot), now, then]);
    if (method === "diagnose") return { version: VERSION, state: stopped || "starting", waiting: waiting.length };
  }

  // `attach` and `on` answer with a function even before there is anything to undo.
  function runForFunction(method, args) {
    let undo;
    let undone;
    run(method, args, (result) => {
      undo = result;
      if (undone && undo) undo();
    });
    return () => {
      undone = true;
      if (undo) undo();
    };
  }

  for (const method of METHODS) {
    bridge[method] = (...args) =>
      attempt(() => (GIVES_FUNCTION.includes(method) ? runForFunction(method, args) : run(method, args)));
  }
  bridge.version = VERSION;
  bridge.push = (...entries) => {
    for (const entry of entries) attempt(() => take(entry));
    return 0;
  };
  attempt(() => (window.decisionBridge = bridge));

  function take(entry) {
    if (Array.isArray(entry)) run(typeof entry[0] === "string" ? entry[0] : String(entry[0]), entry.slice(1));
    else run("", ["push: what was pushed is no list, must be [method, …arguments]"]);
  }

  bridge.push(...pushed);
  attempt(() => readTag(run));

  // A throw out of the module leaves it half alive: it is never called again. Another instance
  // takes over once; what was pending is where the first one wrote it down.
  function guard(exports) {
    const life = ++lives;
    const guarded = {};
    for (const name of Object.keys(exports)) {
      const member = exports[name];
      guarded[name] =
        typeof member !== "function"
          ? member
          : (...args) => {
              if (life !== lives) return;
              try {
                return member(...args);
              } catch (error) {
                died(error);
              }
            };
    }
    return guarded;
  }

  function died(error) {
    const restarts = lives === 1;
    lives++;
    invoke = undefined;
    stopped = "stopped: " + error;
    console.error(PREFIX + "internal error, " + (restarts ? "starting again" : "giving up") + ": " + error);
    if (restarts) {
      waiting = kept.concat(waiting);
      boot(compiled);
    }
  }

  function boot(module) {
    compiled = module;
    const again = lives > 0;
    return instantiate(module, guard).then((api) => {
      api.start({ loadSegment: (key, cdn) => loadSegment(key, cdn, tag && tag.nonce), middleware, again });
      invoke = api.call;
      stopped = "";
      const entries = waiting;
      waiting = [];
      for (const [method, args, time, then] of entries) {
        if (invoke) attempt(() => finish(invoke(method, args, time), then));
      }
    });
  }

  attempt(() => {
    WebAssembly.compile(moduleBytes()).then(boot).catch(failed);
  }, failed);

  function failed(error) {
    stopped = "cannot run: " + error;
    console.error(
      PREFIX + "WebAssembly cannot run here, so no decision is sent. A Content-Security-Policy needs " +
        "script-src 'wasm-unsafe-eval'. " + error
    );
  }
}

function finish(result, then) {
  if (then) then(result);
  return result;
}

function attempt(action, otherwise) {
  try {
    return action();
  } catch (error) {
    if (otherwise) otherwise(error);
  }
}

// What the page may change after the call is copied when it is made.
function snapshot(argument) {
  const plain = argument && typeof argument === "object" && Object.getPrototypeOf(argument) === Object.prototype;
  return (plain && attempt(() => Object.assign({}, argument))) || argument;
}

// The script's own tag, never another one: an <img name=currentScript> would shadow the plain read.
function ownTag() {
  return attempt(() => {
    const getter = Object.getOwnPropertyDescriptor(Document.prototype, "currentScript").get;
    const element = getter.call(document);
    return element instanceof HTMLScriptElement ? element : null;
  });
}

function readTag(run) {
  const key = tag && tag.getAttribute("data-write-key");
  const text = tag && tag.getAttribute("data-options");
  if (!tag || (key === null && text === null && !tag.hasAttribute("data-auto"))) return;
  let options = {};
  if (text !== null) {
    attempt(
      () => (options = JSON.parse(text)),
      () => run("", ["init: attribute `data-options` is not valid JSON"])
    );
  }
  if (key !== null && options && typeof options === "object") options.writeKey = key;
  run("init", [options]);
}
