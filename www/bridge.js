// The bridge: brings decisions to the core with what the page shows, and does what the core asks. What
// is judged, held, delivered and remembered is the core's to say.
import { fetchBeside } from "./beside.js";
import { makeCore, steady, wall } from "./core.js";
import { enrich, experimentOf, keyFields, land, outcomeFields } from "./decision.js";
import { AUTO, DESTINATIONS } from "./destinations.js";
import { isForeign, loadSegment } from "./destinations/segment.js";
import { FAILED, MISSING, READY, STATES, STUB } from "./destinations/state.js";
import { parse, shown } from "./options.js";
import { at, attempt, cookie, fault, get, isList, text } from "./read.js";
import { record, revive } from "./record.js";
import { VERDICTS } from "./report.js";
import { makeSession } from "./session.js";
import { isForcedTracking, look as lookForSignals, preview, qa } from "./signals.js";
import { makeSources } from "./sources.js";
import { read as readDirect } from "./sources/direct.js";
import { isRedirecting, readCallback, redirectCookie, redirectReferrer, visitor } from "./sources/optimizely-web.js";
import { isoTime, spell } from "./spelling.js";
import { SITE, TAB, makeStore } from "./store.js";

const SLICE_MS = 25; // for which the page may be kept busy in one go: half of a long task
const SIGNALS_MS = 1000; // how often the page is searched for signals at most
const ABANDONED_MS = 60000; // how long a page that did not say goodbye is given before others take over
const OVERDUE_MS = 1000; // the page's own setTimeout may never call us
const WAITING = 1000; // how many decisions wait for `init` at most
const NESTED = 1000; // how many may come while we call the page
const [KEY, OUTCOME, PERIOD, WHO] = [0, 1, 2, 3]; // the core's registers

// What the core says of a decision, in words, in the order of its numbers.
const STEPS = [
  "held: waits for consent",
  "held: told on the landing page of its redirect",
  "the wait on this page is over: left for the next page",
  "taken over from an earlier page",
];
const FULL = 2;
const REASONS = [
  "",
  "no destination is wanted",
  "the outbox is full",
  "it waited longer than carryOverMs",
  "it waited longer than maxWaitMs, and carryOverMs is 0",
  "the same decision was handed over, or waits, already",
  "another tab handed the same decision over",
  "the same decision was handed over before",
  "consent was refused",
];

/* global EXTRAS_INTEGRITY: set by the build */
const random = () => Array.from({ length: 26 }, () => ((Math.random() * 36) | 0).toString(36)).join("");
const here = () => location.origin + location.pathname;

export function makeBridge(report, tag, ...whereabouts) {
  const { warn } = report;
  const page = wall() + "-" + random(); // names in alphabetical order are in the order of time
  const store = makeStore(warn);
  const items = new Map(); // by number: the decisions that the core holds, or will
  const seen = DESTINATIONS.map(() => ({ state: MISSING, waited: 0 }));
  const exposures = new Set(); // the names of what was sent
  const entrances = {}; // by which ways decisions of a source came
  // What Segment tells, from the first moment on: for the extras, which come later.
  const heard = [];
  const listeners = "dispatch_start track page identify reset initialize".split(" ").map((name) => [name, (...told) => void heard.push([name, told])]);
  const hooked = new WeakSet();
  const sources = makeSources(decide, report, (kind) => options && options.sourceOptions[kind]);
  const session = makeSession(store, page);
  const facts = { preview: "", qa: "", visitor: random(), project: "" };
  let early = []; // those that came while no core runs
  let count = 0;
  let inside = 0; // how many of our calls into the page are under way
  let nested = 0;
  let state = "starting";
  let options;
  let started;
  let running; // whether there is a core
  let busy;
  let asked; // the last answer about consent
  let extras; // what they do, once they are there
  const waiting = []; // for them
  let signalsAt = -Infinity;
  let query;
  let redirects; // what the redirect cookie said, once there are decisions that ask for it
  let timer;
  let due; // when the timer is

  const core = makeCore(
    {
      report,
      begin() {
        running = true;
        state = "running";
        if (started) restart();
        else start();
      },
      end(why) {
        running = false;
        state = why;
      },
    },
    tag,
    ...whereabouts
  );

  const consent = () => (!options.requireConsent || asked === true ? 0 : asked === undefined ? 1 : 2);
  const wanted = () => DESTINATIONS.map(({ kind }, index) => (options.destinations === "auto" ? index < AUTO : options.destinations.includes(kind)) && index).filter((index) => index !== false);

  // ── Starting ──

  function init(given) {
    if (options) return warn("init: was called before; this call changes nothing");
    const mistakes = [];
    options = parse(given, mistakes);
    report.debug = options.debug;
    facts.project = options.writeKey || location.host;
    start();
    mistakes.forEach(report.error);
  }

  // On a page that is being prerendered everything starts when it is activated.
  function start() {
    if (!options || document.prerendering) return;
    if (options.extras) fetchExtras();
    if (started || !running) return;
    started = true;
    // What starts now runs as one, so that what a tool's state knows of a decision joins it before it leaves.
    busy = true;
    initCore();
    openStores();
    learn(true);
    takeOver();
    takeEarly();
    loadAnalytics();
    attempt(() => sources.find(options.sources));
    busy = false;
    run();
    serve();
  }

  // What not every page asks for is fetched where one does.
  function fetchExtras() {
    options.extras = false;
    attempt(() => {
      const { analytics } = window;
      if (!options.forwardEvents.to || typeof analytics.on !== "function" || analytics.nodeType) return;
      hooked.add(analytics);
      for (const listener of listeners) analytics.on(...listener);
    });
    fetchBeside("extras", EXTRAS_INTEGRITY, tag, ...whereabouts).then((make) => {
      extras = make({ given: options, store, exposures, heard, listeners, hooked, tellConsent: setConsent });
      serve();
      waiting.splice(0).forEach(attempt);
    }).catch((error) => warn("consentFrom, identify, alias, forwardEvents and statsig do nothing: " + error));
  }

  // Tells what becomes known of the visitor, and answers with what to do when the exposure has arrived.
  function traits(experiments, period) {
    let arrived;
    let save;
    const tell = () => {
      save = extras.traits(experiments, period);
      if (arrived) save();
    };
    if (extras) tell();
    else waiting.push(tell);
    return () => {
      arrived = true;
      if (save) save();
    };
  }

  // Lets run what runs beside the decisions, as long as we may.
  function serve() {
    if (extras) extras.serve(started && !consent() ? options : undefined);
  }

  function initCore() {
    const treatment = (name, names = ["drop", "mark", "send"]) => names.indexOf(options[name]);
    const flags =
      treatment("preview") | (treatment("qa") << 2) | (treatment("holdback", ["auto", "drop", "send"]) << 4) |
      ((options.dedupe === "none") << 6) | ((options.destinations === "auto") << 7);
    const bits = wanted().reduce((bits, index) => bits | (1 << index), 0);
    core.call("init", options.pollIntervalMs, options.maxWaitMs, options.carryOverMs, flags, bits);
  }

  // Another core took the place of one that died: it is told of all that had not ended.
  function restart() {
    busy = false;
    const left = [...items.values()].filter((item) => !item.ended && !early.includes(item));
    initCore();
    learn(true);
    for (const item of left) {
      if (item.ids) carry(item, item.to || wanted().map((index) => [index, 1, item.ids[index], index in item.ids]));
      else takeIn(item);
    }
    takeEarly();
    lookAgain();
  }

  function takeEarly() {
    for (const item of early.splice(0)) takeIn(item);
  }

  // Opens the browser's storages, as soon as we may.
  function openStores() {
    if (consent()) return;
    if (!store.open()) warn("storage is blocked: nothing can be remembered for the next page");
    const visitor = store.read(SITE, "visitor");
    if (visitor && visitor.length <= 64) facts.visitor = visitor;
    else store.write(SITE, "visitor", facts.visitor);
  }

  function loadAnalytics() {
    if (!options.writeKey || consent()) return;
    attempt(() => loadSegment(options.writeKey, options.cdnUrl, tag && tag.nonce), (error) => warn("analytics.js could not be loaded: " + error));
  }

  // Takes over what earlier pages left: those that said goodbye, and those that left something untouched
  // for so long that they cannot be alive.
  function takeOver() {
    if (consent()) return;
    for (const name of store.names(SITE, "out/")) {
      const [, holder] = name.split("/");
      const told = revive(store.read(SITE, name), wall());
      if (holder === page || !(store.read(SITE, "left/" + holder) || !told || wall() - told.receivedAt > ABANDONED_MS)) continue;
      store.remove(SITE, name);
      if (!told) continue;
      const item = { ...told, id: ++count, ids: {} };
      for (const [index, , id] of told.to) item.ids[index] = id;
      items.set(item.id, item);
      report.came(item.id, item.decision);
      // The decision of this page, where its redirect landed.
      if (item.decision.source === "optimizelyWeb") land(item.decision, redirectReferrer(experimentOf(item.decision)));
      carry(item, told.to);
    }
    for (const name of store.names(SITE, "left/")) store.remove(SITE, name);
  }

  // ── Decisions ──

  /** A decision came in, by a call of the page or from a tool's client. */
  function decide(decision, byCall) {
    if (inside && (inside > 50 || ++nested > NESTED)) return warn("each event makes the page decide more, without end: the rest is dropped");
    const item = { id: ++count, decision, receivedAt: wall() };
    Object.assign(decision, { pageUrl: here(), pagePath: location.pathname, pageTitle: attempt(() => text(document.title)) });
    items.set(item.id, item);
    inside++;
    report.came(item.id, decision);
    inside--;
    if (decision.shortened) report.step(item.id, "what was longer than 512 characters was cut");
    if (decision.refused === "invalid") report.error(decision.refusal);
    entered(sources.kinds.includes(decision.label) ? decision.label : decision.source, byCall);
    if (started && running) {
      learn();
      takeIn(item);
      run();
    } else if (early.length < WAITING) early.push(item);
    else end(item, "expired", "too many decisions came before `init`");
  }

  // Where decisions of a source come both ways, somebody did twice what once is enough.
  function entered(kind, byCall) {
    entrances[kind] |= byCall ? 2 : 1;
    if (entrances[kind] === 3 && kind !== "direct") {
      warn("decisions of " + kind + " come both by calls, as of its analytics integration, and from its client: each is sent once; switch the calls off, or leave it out of the option `sources`");
    }
  }

  function takeIn(item) {
    const { decision } = item;
    const name = decision.experimentName || decision.experimentKey || experimentOf(decision);
    if (!decision.refused && /^\d+$/.test(name)) warn("experiment " + name + " has no readable name, only its id");
    item.preview = (!isForcedTracking(facts.qa) && decision.forced) || facts.preview;
    item.qa = decision.qa || facts.qa;
    item.isPreview = !!item.preview && options.preview === "mark";
    item.isQa = !!item.qa && options.qa === "mark";
    name_(item);
    remembered(item);
    redirects ??= decision.mayRedirect ? redirectCookie() : undefined;
    core.call("decided", item.id, flagsOf(item));
  }

  function name_(item) {
    core.hash(KEY, ...keyFields(item.decision));
    item.key = core.hex();
    core.hash(OUTCOME, ...outcomeFields(item.decision));
    item.outcome = core.hex();
  }

  const flagsOf = ({ decision, preview, qa }) =>
    (VERDICTS.indexOf(decision.refused) + 1) | (decision.isHoldback << 4) | (!!decision.personalization << 5) | (!!preview << 6) | (!!qa << 7) |
    (!!decision.mayRedirect << 8) | ((!!decision.mayRedirect && isRedirecting(experimentOf(decision), redirects)) << 9);

  // Hands the core an item that an earlier page, or a core that died, had already.
  function carry(item, to) {
    name_(item);
    for (const [index, occurrence, , offered] of to) core.call("parcel", index, occurrence, offered);
    core.call("carried", item.id, flagsOf(item) | ((item.period === session.period) << 10), item.receivedAt);
  }

  // ── What the core is told ──

  // Finds out what it has to know about the page.
  function learn(searchNow) {
    const granted = !consent();
    const before = session.period;
    if (session.continue(options, granted) !== before || searchNow) core.hash(PERIOD, session.period);
    if (searchNow || query !== location.search || steady() - signalsAt > SIGNALS_MS) {
      signalsAt = steady();
      query = location.search;
      const shown = lookForSignals();
      facts.qa = kept("qa", qa(shown, options.qaSignals));
      facts.preview = kept("preview", preview(shown, (name) => (granted && attempt(() => sessionStorage[name])) || ""));
      if (isForcedTracking(facts.qa)) facts.preview = "";
    }
    if (redirects !== undefined) {
      const told = redirectCookie();
      if (told !== redirects) {
        redirects = told;
        for (const { id, decision } of items.values()) if (decision.mayRedirect) core.call("leaving", id, isRedirecting(experimentOf(decision), told));
      }
    }
    core.call("facts", consent());
  }

  // A signal counts for the rest of the tab's life, also where only the first page shows it.
  function kept(name, found) {
    const before = store.read(TAB, name);
    if (found && found !== before) store.write(TAB, name, found);
    return found || before;
  }

  // What was last handed over for its dedupe key, by destination: [occurrence, outcome].
  function recall({ key }) {
    const [period, ...words] = store.read(session.shelf, "seen/" + key).split(" ");
    const memory = { __proto__: null };
    for (let at = 0; period === session.period && at + 2 < words.length; at += 3) memory[words[at]] = [words[at + 1] >>> 0, words[at + 2]];
    return memory;
  }

  function remembered(item) {
    const memory = recall(item);
    DESTINATIONS.forEach(({ kind }, index) => {
      const [occurrence, outcome] = memory[kind] || [];
      if (outcome) core.call("remembered", index, occurrence, outcome === item.outcome);
    });
  }

  // ── What the core asks ──

  // Does it until it asks no more. Page code that is called from here and calls back only adds to what
  // this run will do. What is soon done is done at once, however slow the machine.
  function run(most = SLICE_MS) {
    if (busy || !running) return;
    busy = true;
    const until = steady() + most;
    let more = false;
    for (let done = 0, effect; !more && (effect = core.call("poll")); ) {
      attempt(() => perform(effect));
      more = ++done > 50 && steady() > until;
    }
    busy = false;
    setTimer(more);
  }

  function perform(effect) {
    const take = (size) => {
      const part = effect % size;
      effect = (effect - part) / size;
      return part;
    };
    const [kind, index, arg] = [take(16), take(8), take(65536)];
    const item = items.get(effect);
    ACTIONS[kind](item, index, arg);
  }

  const ACTIONS = [
    ,
    (item) => {
      item.stored = true;
      keep(item);
    },
    (item) => {
      item.stored = false;
      store.remove(SITE, nameOf(item));
    },
    (item, index) => core.call("found", index, lookFor(index)),
    (item, index) => {
      remembered(item);
      core.call("recalled", item.id, index);
    },
    send,
    (item, index, occurrence) => rewrite(item, index, ([known]) => known > occurrence || [occurrence, item.outcome]),
    (item, index, occurrence) => rewrite(item, index, ([known, outcome]) => known !== occurrence || outcome !== item.outcome),
    () => store.write(SITE, "left/" + page, "1"),
    () => {
      store.purge();
      session.forget();
    },
    (item, index, arg) => step(item, DESTINATIONS[index].kind, arg % 16, arg >> 4),
    (item, index, arg) => finish(item, VERDICTS[arg % 16], arg >> 4, DESTINATIONS[index].kind),
  ];

  const nameOf = ({ id }) => "out/" + page + "/" + String(id).padStart(7, "0");
  const isOpen = (item, index) => core.call("open", item.id, index) >= 0;

  function keep(item) {
    const to = wanted().filter((index) => isOpen(item, index)).map((index) => {
      const open = core.call("open", item.id, index);
      return [index, open >> 1, messageId(item, index), !!(open & 1)];
    });
    item.period ??= session.period;
    store.write(SITE, nameOf(item), record(item, to));
  }

  // The same whenever this decision is told again, and different for every visitor: Segment dedupes
  // across all visitors of a workspace.
  function messageId(item, index) {
    if (item.ids && item.ids[index]) return item.ids[index];
    const { project, userId } = item.decision;
    core.hash(WHO, "decision-bridge", project || facts.project, userId || facts.visitor);
    core.call("message_id", item.id, index);
    return "db-" + core.hex();
  }

  // Changes what is remembered for a dedupe key: to another mark, to none (`false`), or not at all (`true`).
  function rewrite(item, index, change) {
    const memory = recall(item);
    const { kind } = DESTINATIONS[index];
    const mark = change(memory[kind] || []);
    if (mark === true) return;
    delete memory[kind];
    const marks = Object.entries(memory).concat(mark ? [[kind, mark]] : []);
    store.write(session.shelf, "seen/" + item.key, [session.period, ...marks].flat(2).join(" "));
  }

  function lookFor(index) {
    const found = seen[index];
    const { kind, state } = DESTINATIONS[index];
    found.state = attempt(() => state(found.blocked)) || MISSING;
    if (kind === "segment" && isForeign(found.state)) warn("window.analytics is not Segment's analytics.js: it is told the same way");
    const ready = STATES[found.state] === "ready";
    if (ready && found.since) found.waited = steady() - found.since;
    found.since = ready ? 0 : found.since || steady();
    return found.state;
  }

  function send(item, index) {
    const { decision } = item;
    const { kind, send } = DESTINATIONS[index];
    const key = messageId(item, index);
    (item.ids ??= {})[index] = key;
    const { pageUrl: url, pagePath: path, pageTitle: title } = decision;
    inside++;
    const answer = attempt(
      () => {
        const exposure = spell(item, options, kind);
        exposures.add(exposure.name);
        Object.assign(exposure, { decision, options, messageId: key, time: isoTime(decision.decidedAt) });
        if (url && url !== here()) exposure.page = { url, path, ...(title && { title }), search: "" };
        exposure.traits = (experiments) => traits(experiments, session.period);
        return send(exposure, seen[index].state === STUB, () => confirmed(item.id, index)) ? 1 : 0;
      },
      (error) => {
        item.error = attempt(() => text(String(error)).slice(0, 2000)) ?? "something that has no text";
        return 2;
      }
    );
    inside--;
    core.call("called", item.id, index, answer);
  }

  function confirmed(id, index) {
    core.call("confirmed", id, index);
    run();
    warnOfNative();
  }

  function step(item, kind, step, state) {
    const told =
      STEPS[step] ||
      [kind + " is " + STATES[state] + ": waits", "handed to the stub of " + kind, "handed to " + kind, kind + " took charge", kind + " threw: " + item.error][step - 4];
    report.step(item.id, told);
    if (step === 2) warnOfParking();
    if (step === 8) report.error(told);
  }

  function finish(item, verdict, reason, kind) {
    const own = { holdback: "the visitor is held back, and not in the experiment", preview: item.preview, qa: item.qa }[verdict];
    if (verdict === "duplicate" && reason === 5) enrichWaiting(item);
    if (reason === FULL) warn("more than 1000 decisions wait: those that come now are dropped");
    end(item, verdict, reason > 8 ? kind : REASONS[reason] || item.decision.refusal || own);
  }

  function end(item, verdict, why) {
    item.ended = true;
    // It may stay for destinations that come late.
    if (!wanted().some((index) => isOpen(item, index))) items.delete(item.id);
    report.end(item.id, verdict, why);
  }

  // A duplicate may know more than the one that waits: names, the referrer of a redirect.
  function enrichWaiting({ id, key, decision }) {
    const waiting = [...items.values()].reverse().find((item) => item.key === key && item.id !== id);
    if (waiting && core.call("waits", waiting.id) && enrich(waiting.decision, decision) && waiting.stored) keep(waiting);
  }

  // ── Time, and what happens on the page ──

  // One timer serves all; it is set when the core wants one earlier than it is, or when the one that was
  // set is long overdue.
  function setTimer(more) {
    const wanted = more ? 0 : core.call("wake_in") ?? -1;
    const now = steady();
    const next = wanted < 0 ? undefined : now + wanted;
    const set = now - due < OVERDUE_MS ? due : undefined;
    if (set === next || (next !== undefined && set <= next)) return;
    due = next;
    attempt(() => clearTimeout(timer));
    if (next !== undefined) {
      attempt(() => {
        timer = setTimeout(() => {
          due = undefined;
          attempt(lookAgain);
        }, wanted);
      });
    }
  }

  function lookAgain() {
    start();
    if (!started || !running) return;
    learn();
    attempt(() => sources.find(options.sources));
    if (extras) extras.look();
    core.call("tick");
    for (const item of items.values()) if (item.ended && !wanted().some((index) => isOpen(item, index))) items.delete(item.id);
    run();
  }

  function setConsent(granted) {
    if (typeof granted !== "boolean") return report.error(fault("consent", "argument 1", granted, "true or false"));
    if (options && !options.requireConsent) warn("consent: says nothing without the option `requireConsent`");
    const before = started && consent();
    asked = granted;
    if (!started || !running) return;
    const opens = before && !consent();
    if (opens) openStores();
    learn(true);
    if (opens) {
      takeOver();
      loadAnalytics();
    }
    serve();
    lookAgain();
  }

  // ── Warnings, and the report ──

  function warnOfParking() {
    const auto = options.destinations === "auto";
    const missing = (index) => seen[index].state === MISSING;
    // Of those that were only looked for, nobody misses one when another is there.
    if (auto && wanted().every(missing)) return warn("no analytics tool was found within maxWaitMs: decisions wait for the next page");
    for (const index of wanted().filter((index) => !(auto && missing(index)))) {
      const { state } = seen[index];
      const why =
        state === MISSING ? " was not found within maxWaitMs: decisions wait for the next page"
        : state === FAILED ? " is disabled or could not be loaded: decisions wait for the next page"
        : state === STUB && " is still a stub after maxWaitMs, its script may be blocked: what it queued is offered again on the next page";
      if (why) warn(DESTINATIONS[index].kind + why);
    }
  }

  // Segment's own Optimizely destination sends exposures of its own, with ids of its own: nothing tells
  // that ours are the same.
  function warnOfNative() {
    const plugins = at(window, "analytics.queue.plugins");
    if ((isList(plugins) && plugins.some((plugin) => get(plugin, "name") === "Optimizely")) || typeof window.optimizelyIntegration === "function") {
      warn("Segment's own Optimizely destination sends exposures too: switch it off in Segment");
    }
  }

  function diagnose() {
    const told = { state: state !== "running" ? state : !options ? "waiting for init" : started ? state : "waiting for the page to be shown" };
    if (options) {
      warnOfNative();
      told.options = shown(options);
      // Of those that were only looked for, Segment is what people expect to read about.
      told.destinations = wanted().filter((index) => lookFor(index) || options.destinations !== "auto" || !index).map((index) => {
        const { state, since, waited } = seen[index];
        return { name: DESTINATIONS[index].kind, state: STATES[state], waitedMs: Math.floor(since ? steady() - since : waited) };
      });
    }
    told.signals = { preview: facts.preview || null, qa: facts.qa || null };
    // The ids of both sides, so that identities can be compared. Segment's is read where it is kept:
    // asking analytics.js for it would create one.
    told.ids = { anonymousId: cookie("ajs_anonymous_id") || null, visitorId: visitor(window.optimizely) || null };
    return report.diagnose({ ...told, sources: sources.shown() });
  }

  return {
    attach: sources.attach,
    diagnose,

    // What happened on the page.
    look: lookAgain,
    hidden() {
      if (!started || !running) return;
      learn();
      core.call("hidden");
      run(Infinity);
    },
    shown() {
      if (!started || !running) return;
      store.remove(SITE, "left/" + page);
      core.call("shown");
      lookAgain();
    },
    blocked(index) {
      seen[index].blocked = true;
      warn("the script of " + DESTINATIONS[index].kind + " could not be loaded: blocked, or not there");
      lookAgain();
    },

    // What the page may call, now or by `push`.
    methods: {
      init,
      trackLayerDecision: (call) => decideBy((mistakes) => readCallback(call, window.optimizely, wall(), mistakes)),
      trackDecision: (...args) => decideBy((mistakes) => readDirect(args, wall(), mistakes)),
      consent: setConsent,
      flush() {
        core.call("flush");
        lookAgain();
      },
    },
  };

  function decideBy(read) {
    const mistakes = [];
    decide(read(mistakes), true);
    mistakes.forEach(report.error);
  }
}
