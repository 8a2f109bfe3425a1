// The shell: owns window.decisionBridge, and sees to it that nothing of ours is ever thrown into the page.
import { makeBridge } from "./bridge.js";
import { later } from "./clock.js";
import { leaving, whose } from "./destinations.js";
import { attempt, fault, isList, isObject, oneOf, put } from "./read.js";
import { makeReport } from "./report.js";

/* global VERSION: set by the build */
const tag = ownTag();
const running = Symbol.for("decision-bridge");
const NEEDED = Array(9000); // as arguments they take the stack that a call may need

if (!window[running]) start((window[running] = { version: VERSION }));
else if (!window[running].warned) {
  window[running].warned = true;
  console.warn("[decision-bridge] a second copy does nothing; version " + window[running].version + " is running");
}

function start(found) {
  const report = makeReport();
  const inner = makeBridge(report, tag, found, tag?.src);
  const methods = { ...inner.methods, on: report.on };
  const names = Object.keys(methods);
  const before = attempt(() => window.decisionBridge);
  const bridge = isList(before) ? before : [];
  const pushed = bridge.splice(0);
  const late = []; // calls for which there was no stack left

  const look = () => {
    for (const [method, args] of late.splice(0)) attempt(() => methods[method](...args));
    inner.look();
  };
  const lookSoon = () => void later(look).catch(() => {});
  // At the end of the stack nothing can be compiled that has not been before.
  lookSoon();
  for (const method of names) {
    bridge[method] = (...args) => {
      try {
        // Where the stack is nearly used up nothing is begun that could not be finished.
        (() => {}).apply(0, NEEDED);
      } catch {
        // Here nothing can be called, not even to keep this one.
        late[late.length] = [method, args];
        try {
          lookSoon();
        } catch {}
        return;
      }
      return attempt(() => methods[method](...args), lookSoon);
    };
  }
  bridge.version = VERSION;
  // On a list whose prototype is frozen an assignment would throw.
  put(bridge, "push", (...entries) => {
    for (const entry of entries) attempt(() => take(entry));
    return entries.length;
  });
  attempt(() => (window.decisionBridge = bridge));

  function take(entry) {
    const [method, ...args] = isList(entry) ? entry : [];
    if (names.includes(method)) bridge[method](...args);
    else report.error(isList(entry) ? fault("push:", "method", method, oneOf(names)) : fault("push:", "argument 1", entry, "[method, …arguments]"));
  }

  bridge.push(...pushed);
  attempt(() => readTag(bridge.init, report.error));

  // What happens on the page and makes another look worth while.
  const on = (target, event, handler) => attempt(() => target.addEventListener(event, (told) => void attempt(() => handler(told)), true));
  on(window, "pagehide", () => {
    inner.hidden();
    leaving();
  });
  on(window, "pageshow", inner.shown);
  on(window, "load", look);
  // The window never hears of the scripts.
  on(document, "load", ({ target }) => target.nodeName === "SCRIPT" && look());
  on(window, "error", ({ target }) => {
    if (target.nodeName !== "SCRIPT") return;
    const index = target.dataset.globalSegmentAnalyticsKey ? 0 : whose(target.src);
    if (index >= 0) inner.blocked(index);
  });
  for (const event of ["DOMContentLoaded", "visibilitychange", "prerenderingchange"]) on(document, event, look);
}

// The script's own tag, never another one: an <img name=currentScript> would shadow the plain read.
function ownTag() {
  return attempt(() => {
    const getter = Object.getOwnPropertyDescriptor(Document.prototype, "currentScript").get;
    const element = getter.call(document);
    return element instanceof HTMLScriptElement && element;
  });
}

function readTag(init, error) {
  // Without a tag of ours this throws, and that is that.
  const told = ["write-key", "options", "auto"].map((name) => tag.getAttribute("data-" + name));
  const [key, text] = told;
  if (told.every((one) => one === null)) return;
  let options = attempt(() => JSON.parse(text ?? "{}"));
  if (!isObject(options)) {
    error(fault("init: attribute", "data-options", text, "a JSON object"));
    options = {};
  }
  if (key !== null) options.writeKey = key;
  init(options);
}
