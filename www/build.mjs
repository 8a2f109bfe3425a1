// Puts dist/ together: `node www/build.mjs <module> <module of the fallback>`, as rustc writes them. The core
// speaks numbers and imports nothing, so its exports are called as they are, without glue. The fallback's
// module is of the first WebAssembly there was. `./build.sh dist` calls it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { asPlainScript } from "./build/fallback.mjs";
import { asScript, initialMemory, optimize, shorten, slim } from "./build/module.mjs";
import { integrity, table, weigh } from "./build/sizes.mjs";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
// What a visitor may be asked to download for every source and destination; while one looks for bytes, more.
const BUDGET = Number(process.env.BUDGET_BYTES || 20480);
const MEMORY_BUDGET = 1.2e6;

// The tools of the build lie beside the tests.
const TOOLS = join(ROOT, "tests/node_modules");
const require = createRequire(join(TOOLS, "any.js"));
const esbuild = require("esbuild");
const terser = require("terser");
// What terser may take for granted: getters of ours have no effect, and nobody reads our functions' text.
const MINIFY = {
  ecma: 2020,
  toplevel: true,
  compress: { passes: 3, pure_getters: true, unsafe_arrows: true, unsafe_methods: true, keep_fargs: false, hoist_props: true },
  format: { ecma: 2020, ascii_only: true, comments: /^! |Decision Bridge/ },
};

const [, , from, fallbackFrom] = process.argv;
const version = read("Cargo.toml").match(/^version = "(.+)"$/m)[1];
const { bytes: module, names } = optimized(from);
if (!WebAssembly.validate(module)) throw new Error("the module is not valid WebAssembly after www/build/module.mjs");

const fallback = await bundle("decision-bridge-fallback.js", {
  "virtual:module": asPlainScript(tool("wasm2js"), optimized(fallbackFrom, []).bytes, fallbackFrom + ".js.wasm"),
});
const extras = await bundle("decision-bridge-extras.js");
// The shorter hash, for it is carried by everybody.
const hash = (text) => JSON.stringify(integrity(text, "sha256"));
const define = { FALLBACK_INTEGRITY: hash(fallback), EXTRAS_INTEGRITY: hash(extras) };
const script = await bundle("decision-bridge.js", { "virtual:module": asScript(module) }, define, (text) => shorten(text, names));

rmSync(join(ROOT, "dist"), { recursive: true, force: true });
mkdirSync(join(ROOT, "dist"));
write("decision-bridge.js", script);
write("decision-bridge-extras.js", extras);
write("decision-bridge-fallback.js", fallback);
write("decision-bridge.d.ts", read("www/decision-bridge.d.ts"));
write("optimizely-integration.json", json(optimizelyIntegration(read("www/optimizely.js"))));
write("integrity.json", json({ "decision-bridge.js": integrity(script), "decision-bridge-extras.js": integrity(extras), "decision-bridge-fallback.js": integrity(fallback) }));
report();

function tool(name) {
  return join(TOOLS, ".bin", name);
}

function optimized(path, features) {
  const { bytes, names } = slim(readFileSync(path));
  return { bytes: optimize(tool("wasm-opt"), bytes, path + ".opt", features), names };
}

async function bundle(name, virtual = {}, define = {}, change = (text) => text) {
  const plugin = {
    name: "virtual",
    setup(build) {
      build.onResolve({ filter: /^virtual:/ }, ({ path }) => ({ path, namespace: "virtual" }));
      build.onLoad({ filter: /./, namespace: "virtual" }, ({ path }) => ({ contents: virtual[path], loader: "js" }));
    },
  };
  const result = await esbuild.build({
    entryPoints: [join(ROOT, "www", name)],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2021",
    charset: "ascii",
    define: { VERSION: JSON.stringify(version), ...define },
    banner: { js: `/* Decision Bridge ${version}, MIT OR Apache-2.0 */"use strict";` },
    plugins: [plugin],
    logLevel: "warning",
    metafile: true,
  });
  const foreign = Object.keys(result.metafile.inputs).find((path) => path.includes("node_modules"));
  if (foreign) throw new Error(`${foreign} would be shipped: nothing of npm's is`);
  const { code: text } = await terser.minify(change(result.outputFiles[0].text), MINIFY);
  // So that it reads the same whatever charset the page declares.
  if (/[^\x00-\x7f]/.test(text)) throw new Error(name + " is not plain ASCII");
  return text;
}

// What is pasted into Optimizely as a Custom Analytics Integration.
function optimizelyIntegration(source) {
  const eventName = {
    name: "eventName",
    label: 'Event name. Empty: the one given to decisionBridge.init, else "Experiment Viewed"',
    field_type: "text",
    default_value: "",
    options: null,
  };
  return {
    plugin_type: "analytics_integration",
    name: "Decision Bridge",
    description: "Hands every experiment decision to Decision Bridge, which carries it to analytics exactly once.",
    form_schema: [eventName],
    options: { track_layer_decision: source.replace(/^(?:\/\/.*\n)+/, "").trimEnd() },
  };
}

function report() {
  const { raw, gzip, brotli } = weigh(script);
  const inside = weigh(module);
  const asked = weigh(extras);
  const aside = weigh(fallback);
  const memory = initialMemory(module);
  console.log(
    table([
      ["bytes", "raw", "gzip -9", "brotli 11"],
      ["decision-bridge.js", raw, gzip, brotli],
      ["  of it the module", inside.raw, inside.gzip, inside.brotli],
      ["decision-bridge-extras.js", asked.raw, asked.gzip, asked.brotli],
      ["decision-bridge-fallback.js", aside.raw, aside.gzip, aside.brotli],
    ])
  );
  console.log("The extras are fetched only where the options ask for them, the fallback only where WebAssembly cannot run; neither is counted here.");
  console.log(`A visitor downloads ${brotli} bytes, budget ${BUDGET}. Linear memory at start: ${memory}, budget ${MEMORY_BUDGET}.`);
  if (brotli > BUDGET) fail(`${brotli - BUDGET} bytes over the budget`);
  if (memory > MEMORY_BUDGET) fail(`${memory - MEMORY_BUDGET} bytes of memory over the budget`);
}

function fail(text) {
  console.error(`Too large: ${text}.`);
  process.exitCode = 1;
}

function read(path) {
  return readFileSync(join(ROOT, path), "utf8");
}

function write(name, text) {
  writeFileSync(join(ROOT, "dist", name), text);
}

function json(value) {
  return JSON.stringify(value, null, 2) + "\n";
}
