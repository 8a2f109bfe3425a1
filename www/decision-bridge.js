// The shell: owns window.decisionBridge, keeps what is pushed until the WebAssembly module runs,
// and sees to it that nothing of ours is ever thrown into the page. All rules are in Rust.
import { askConsent } from "./consent.js";
import { live } from "./lives.js";
import { makeCalls } from "./calls.js";
import { attempt, makePage } from "./page.js";
import { makeReport } from "./report.js";
import { makeSources } from "./sources.js";
import { makeServe } from "./serve.js";
import { leaving, whose } from "./destinations.js";

/* global VERSION: set by the build */
const LOG = "[decision-bridge] ";
const METHODS = ["init", "trackLayerDecision", "trackDecision", "consent", "flush"];

const tag = ownTag();
const address = tag && tag.src;
const running = Symbol.for("decision-bridge");

if (window[running]) {
  if (!window[running].warned) {
    window[running].warned = true;
    console.warn(LOG + "a second copy of the script does nothing; version " + window[running].version + " is running");
  }
} else {
  window[running] = { version: VERSION };
  start();
}

function start() {
  const found = attempt(() => window.decisionBridge);
  const bridge = Array.isArray(found) ? found : [];
  const pushed = bridge.splice(0);
  const report = makeReport(VERSION);
  const call = (method, ...args) => attempt(() => run(method, args));
  const settings = (kind) => attempt(() => again.init[1][0].sourceOptions[kind]);
  const sources = makeSources(run, report.tell, settings);
  const page = makePage(call, (...told) => calls.tell(...told), sources, makeServe, tag && tag.nonce);
  const calls = makeCalls(report, page.wall);
  let state = "starting";
  const again = {}; // what a second instance has to be told again: the first init, the last consent
  let lookForConsent;

  function run(method, args, now = page.wall()) {
    const first = method === "init" && !again.init;
    const entry = [method, args, now];
    if (first || method === "consent") again[method] = entry;
    const result = calls.pass(entry);
    if (first && !document.prerendering) ask();
    return result;
  }

  function ask() {
    lookForConsent ??= again.init && attempt(() => askConsent(again.init[1][0], (granted) => call("consent", granted)));
  }

  for (const method of METHODS) {
    bridge[method] = (...args) =>
      void attempt(
        () => run(method, args),
        // At the very end of the stack nothing can be called, not even to keep this one.
        (error) => error.stack && (calls.waiting[calls.waiting.length] = [method, args])
      );
  }
  bridge.version = VERSION;
  bridge.on = report.on;
  bridge.diagnose = () => {
    const told = attempt(() => JSON.parse(calls.ask("diagnose"))) || { state };
    return report.diagnose({ ...told, sources: sources.shown() });
  };
  bridge.attach = (kind, client) => attempt(() => sources.attach(kind, client));
  bridge.push = (...entries) => {
    for (const entry of entries) attempt(() => take(entry));
    return entries.length;
  };
  attempt(() => (window.decisionBridge = bridge));

  function take(entry) {
    const [method, ...args] = Array.isArray(entry) ? entry : [];
    if (METHODS.includes(method)) run(method, args);
    else if (["on", "attach", "diagnose"].includes(method)) bridge[method](...args);
    else if (Array.isArray(entry)) report.tell("error", 0, "push: `" + attempt(() => String(method)) + "` is not a method of decisionBridge");
    else report.tell("error", 0, "push: argument 1 is of type " + typeof entry + ", must be [method, …arguments]");
  }

  bridge.push(...pushed);
  attempt(() => readTag(run, report.tell));

  live(page, { begin, end, tell: report.tell }, window[running], tag, address);

  function begin(api) {
    state = "running";
    calls.begin(api.call);
  }

  function end(why) {
    state = why;
    calls.end([again.init, again.consent].filter(Boolean));
  }

  listen((what, ...told) => {
    call(what, ...told);
    ask();
    attempt(lookForConsent);
  });
}

// What happens on the page and makes another look worth while.
function listen(tell) {
  const on = (target, event, handler) => target.addEventListener(event, handler, true);
  on(window, "pagehide", () => {
    tell("hidden");
    attempt(leaving);
  });
  on(window, "pageshow", (event) => tell(event.persisted ? "shown" : "look"));
  on(window, "load", () => tell("look"));
  // The window never hears of the scripts.
  on(document, "load", ({ target }) => target.nodeName === "SCRIPT" && tell("look"));
  on(window, "error", ({ target }) => {
    const blocked = target.nodeName === "SCRIPT" && (target.dataset.globalSegmentAnalyticsKey ? { kind: "segment" } : whose(target.src));
    if (blocked) tell("blocked", blocked.kind);
  });
  on(document, "DOMContentLoaded", () => tell("look"));
  on(document, "visibilitychange", () => tell("look"));
  on(document, "prerenderingchange", () => tell("activated"));
}

// The script's own tag, never another one: an <img name=currentScript> would shadow the plain read.
function ownTag() {
  return attempt(() => {
    const getter = Object.getOwnPropertyDescriptor(Document.prototype, "currentScript").get;
    const element = getter.call(document);
    return element instanceof HTMLScriptElement ? element : null;
  });
}

function readTag(run, tell) {
  const key = tag && tag.getAttribute("data-write-key");
  const text = tag && tag.getAttribute("data-options");
  if (!tag || (key === null && text === null && !tag.hasAttribute("data-auto"))) return;
  let options = {};
  if (text !== null) {
    attempt(
      () => (options = JSON.parse(text)),
      () => tell("error", 0, "init: attribute `data-options` is not valid JSON")
    );
  }
  if (key !== null) {
    if (!options || typeof options !== "object" || Array.isArray(options)) {
      tell("error", 0, "init: attribute `data-options` is " + text + ", must be a JSON object");
      options = {};
    }
    options.writeKey = key;
  }
  run("init", [options]);
}
