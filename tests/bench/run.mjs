// The benchmark: our built file beside the published recipe and beside nothing, in one run, turn by
// turn, so that only ratios have to be compared between machines. Nothing here is asserted but that
// every decision arrived.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { table } from "../../www/build/sizes.mjs";
import { serve } from "../../www/demo/server.mjs";
import { WHOLE, start as startBrowser } from "../chromium.mjs";

const COUNTS = [100, 1000, 10000];
const RATES = [1, 4];
const REPEATS = 7;
const STARTS = 15;

const read = (path) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
const integration = JSON.parse(read("../../dist/optimizely-integration.json"));
const built = read("../../dist/decision-bridge.js");
const page = read("page.js");
const recipe = read("recipe.js");

const SCOPE = "campaignId, experimentId, variationId, isHoldback, campaign, extension, state";
const ours = `function ours(${SCOPE}) { ${integration.options.track_layer_decision} }`;
const init = `window.decisionBridge = []; decisionBridge.push(["init", { dedupe: "session" }]);`;
const RIVALS = {
  nothing: { code: `function nothing(${SCOPE}) {}`, sends: false },
  recipe: { code: recipe, sends: true },
  ours: { code: ours, sends: true, script: true },
};

// Isolated from other sites, a page is given a clock of 5 µs; else it has 100.
const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const html = (scripts) => ({ html: `<!doctype html><title>bench</title>${scripts.join("")}`, headers });
const inline = (code) => `<script>${code}</script>`;

const server = await serve();
const browser = await startBrowser(WHOLE);
const results = { version: /Decision Bridge (\S+),/.exec(built)[1], browser: browser.version(), perDecision: [], start: [] };
try {
  await perDecision();
  await start();
} finally {
  await browser.close();
  await server.close();
}
writeFileSync(new URL("results.json", import.meta.url), JSON.stringify(results, null, 2) + "\n");

async function perDecision() {
  for (const [name, rival] of Object.entries(RIVALS)) {
    const scripts = [inline(page), inline(rival.code)];
    if (rival.script) scripts.push(inline(init), `<script async src="/dist/decision-bridge.js"></script>`);
    server.pages.set("/" + name, html(scripts));
  }
  for (const count of COUNTS) {
    const times = await turns(Object.keys(RIVALS), REPEATS, `${count} decisions`, (name) => feedOnce(name, count));
    for (const [name, all] of Object.entries(times)) results.perDecision.push({ decisions: count, name, ...summary(all) });
  }
  show("µs per decision, each a different one, dedupe: session", "decisions", results.perDecision);
}

async function feedOnce(name, count) {
  const { sends, script } = RIVALS[name];
  return visit("/" + name, 1, async (tab) => {
    if (script) await tab.waitForFunction(() => decisionBridge.diagnose?.().state === "running");
    const told = await tab.evaluate(([name, count, sends]) => feed(window[name], count, sends), [name, count, sends]);
    if (sends && (told.arrived !== count || told.distinct !== count)) {
      throw new Error(`${name}: of ${count} decisions ${told.distinct} arrived, in ${told.arrived} events`);
    }
    return told.us;
  });
}

// From the first statement of the script to the first `track`; the decision waits already.
async function start() {
  const begin = "window.startedAt = performance.now();";
  const decision = (name) => `call(${name}, decided(0));`;
  server.pages.set("/start.js", { html: begin + built, headers: { ...headers, "content-type": "text/javascript" } });
  server.pages.set("/start-recipe", html([inline(page), inline(begin + recipe + decision("recipe"))]));
  server.pages.set("/start-ours", html([inline(page), inline(ours + init + decision("ours")), `<script async src="/start.js"></script>`]));
  for (const rate of RATES) {
    const times = await turns(["recipe", "ours"], STARTS, `starts at CPU ${rate}x`, (name) =>
      visit("/start-" + name, rate, async (tab) => {
        await tab.waitForFunction(() => window.firstAt);
        return tab.evaluate(() => (firstAt - startedAt) * 1000);
      })
    );
    for (const [name, all] of Object.entries(times)) results.start.push({ slowdown: rate, name, ...summary(all) });
  }
  show("µs from the start of the script to the first track", "slowdown", results.start);
}

/** Opens the page as a new visitor, on a processor so many times slower. */
async function visit(path, rate, measure) {
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    const failed = new Promise((_, reject) => tab.on("pageerror", reject));
    failed.catch(() => {});
    const session = await context.newCDPSession(tab);
    await session.send("Emulation.setCPUThrottlingRate", { rate });
    await tab.goto(server.origin + path);
    return await Promise.race([measure(tab), failed]);
  } finally {
    await context.close();
  }
}

/** Each rival once, and all of that again and again, beginning with another one each time. */
async function turns(names, repeats, what, measure) {
  process.stdout.write(`${what} …\n`);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let turn = 0; turn < repeats; turn++) {
    for (let index = 0; index < names.length; index++) {
      const name = names[(turn + index) % names.length];
      times[name].push(await measure(name));
    }
  }
  return times;
}

function summary(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return { minimum: round(sorted[0]), median: round(sorted[sorted.length >> 1]), times: times.map(round) };
}

function round(us) {
  return Math.round(us * 100) / 100;
}

function show(title, column, rows) {
  for (const row of rows) {
    const recipe = rows.find((other) => other[column] === row[column] && other.name === "recipe");
    row.ratio = { minimum: round(row.minimum / recipe.minimum), median: round(row.median / recipe.median) };
  }
  const cells = rows.map((row) => [row.name, row[column], row.minimum, row.median, row.ratio.minimum, row.ratio.median]);
  console.log(`\n${title}`);
  console.log(table([["", column, "minimum", "median", "minima / recipe", "medians / recipe"], ...cells]) + "\n");
}
