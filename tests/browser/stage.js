// A stage for the module: the real verbs, report and Segment of www/, on a page whose timers,
// storage and analytics the tests hold in their hands. The body of a function (sources, invoke).
if (globalThis.stage) globalThis.stage.close(); // of a test that failed

// Each file in the scope of those before it. What a list of vendors imports beyond them is an empty
// vendor.
const scope = {};
for (const source of sources) {
  const [, file] = /^\/\/ file: (.*)/.exec(source);
  const imported = [...source.matchAll(/^import \{([^}]*)\}.*$/gm)].flatMap(([, names]) => names.split(",").map((name) => name.trim()));
  const vendors = [...source.matchAll(/^import (\w+) from "\.\/(.*)";$/gm)];
  const exported = [...source.matchAll(/^export (?:function|const) (\w+)/gm)].map(([, name]) => name);
  const body = source.replace(/^import .*$/gm, "").replace(/^export default /m, "const vendor = ").replace(/^export /gm, "");
  const names = [...imported, ...vendors.map(([, name]) => name)];
  const values = [...imported.map((name) => scope[name]), ...vendors.map(([, , path]) => scope[path] || {})];
  const vendor = body.includes("const vendor = ") ? "vendor" : "undefined";
  const answer = [...exported, JSON.stringify(file) + ": " + vendor].join(", ");
  Object.assign(scope, new Function(...names, body + "\nreturn {" + answer + "};")(...values));
}

const own = ["setTimeout", "clearTimeout", "analytics", "optimizely", "localStorage", "sessionStorage"];
const before = own.map((name) => [name, Object.getOwnPropertyDescriptor(window, name)]);
const consoles = { error: console.error, warn: console.warn };

const stage = {
  sent: [],
  errors: [],
  warnings: [],
  told: [],
  timers: new Map(),
  set: 0,

  // Sets every timer off that is set now.
  fire() {
    const due = [...stage.timers];
    for (const [id, handler] of due) if (stage.timers.delete(id)) handler();
    return due.length;
  },
  method(name) {
    return (...args) => void invoke(name, args);
  },
  // Ready, and told everything: `answer` says what `track` returns.
  ready(answer = () => undefined) {
    const track = (event, properties, options) => {
      stage.sent.push([event, properties, options]);
      return answer(event, properties, options);
    };
    window.analytics = { track, initialized: true, VERSION: "1.81.0", settings: { writeKey: "k" }, queue: { plugins: [{}] } };
  },
  storage(name, storage) {
    Object.defineProperty(window, name, { configurable: true, get: storage });
  },
  revoked(target) {
    const { proxy, revoke } = Proxy.revocable(target, {});
    revoke();
    return proxy;
  },
  // A value out of JSON, with the methods and the odd values that the tests spell in it.
  real(value) {
    if (Array.isArray(value)) return value.map(stage.real);
    if (value === null || typeof value !== "object") return value;
    const names = Object.keys(value);
    if (names.length === 1 && names[0] === "$") {
      const text = value.$.slice(1);
      return { m: undefined, f: () => {}, d: Number(text), g: value.$[0] === "g" ? BigInt(text) : 0 }[value.$[0]];
    }
    const made = {};
    for (const name of names) {
      const real = stage.real(value[name]);
      const [, method, sign] = /^(\w+)([!@])/.exec(name) || [];
      const answer = sign === "@" ? (argument) => ("" + Object.keys(argument) === name.split("@")[1] ? real : undefined) : (word = "") => stage.real(value[method + "!" + word]);
      Object.defineProperty(made, method || name, { value: method ? answer : real, enumerable: true, configurable: true, writable: true });
    }
    return made;
  },
  close() {
    for (const [name, descriptor] of before) {
      delete window[name];
      if (descriptor) Object.defineProperty(window, name, descriptor);
    }
    Object.assign(console, consoles);
    globalThis.stage = undefined;
    for (const storage of [localStorage, sessionStorage]) storage.clear();
  },
};

for (const storage of [localStorage, sessionStorage]) storage.clear();
console.error = (...told) => (String(told[0]).startsWith("[decision-bridge]") ? stage.errors.push(told[0]) : consoles.error(...told));
console.warn = (text) => stage.warnings.push(String(text));
window.setTimeout = (handler) => {
  stage.timers.set(++stage.set, handler);
  return stage.set;
};
window.clearTimeout = (id) => void stage.timers.delete(id);

const report = scope.makeReport("test");
stage.report = report;
const tell = (what, id, text) => {
  stage.told.push([what, id, text]);
  if (what !== "kept") report.tell(what, id, text);
};
const registry = scope.makeSources(invoke, tell, () => undefined, () => invoke("look", []));
globalThis.page = scope.makePage((method, ...args) => invoke(method, args), tell, registry, scope.makeServe);
stage.bridge = { on: report.on, attach: registry.attach };
for (const method of ["init", "trackLayerDecision", "trackDecision", "consent", "flush"]) stage.bridge[method] = stage.method(method);
globalThis.stage = stage;
globalThis.bridge = stage.bridge;
return stage;
