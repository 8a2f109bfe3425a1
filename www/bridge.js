// The bridge: brings decisions to the core with what the page shows, and does what the core asks. What
// is judged, held, delivered and remembered is the core's to say.
import { fetchBeside } from "./beside.js";
import { steady, wall } from "./clock.js";
import { makeCore } from "./core.js";
import { enrich, experimentOf, keyFields, land, outcomeFields } from "./decision.js";
import { AUTO, DESTINATIONS } from "./destinations.js";
import { isForeign, loadSegment } from "./destinations/segment.js";
import { MISSING, STATES, STUB } from "./destinations/state.js";
import { parse, shown } from "./options.js";
import { at, attempt, cookie, fault, get, isList, text } from "./read.js";
import { record, revive } from "./record.js";
import { VERDICTS } from "./report.js";
import { makeSession } from "./session.js";
import { isForcedTracking, look as lookForSignals, preview, qa } from "./signals.js";
import { makeSources } from "./sources.js";
import { read as readDirect } from "./sources/direct.js";
import { isRedirecting, readCallback, redirectCookie, redirectReferrer, visitor as visitorOf } from "./sources/optimizely-web.js";
import { isoTime, spell } from "./spelling.js";
import { SITE, TAB, makeStore } from "./store.js";

const SLICE_MS = 25; // for which the page may be kept busy in one go: half of a long task
const SIGNALS_MS = 1000; // how often the page is searched for signals at most
const ABANDONED_MS = 60000; // how long a page that did not say goodbye is given before others take over
const OVERDUE_MS = 1000; // the page's own setTimeout may never call us
const MOST = 1000; // how many decisions wait for `init`, or may come while we call the page
const [KEY, OUTCOME, PERIOD, WHO] = [0, 1, 2, 3]; // the core's registers

// What the core says of a decision, in words, in the order of its numbers; `@` is the destination.
const STEPS = [
  "held: waits for consent",
  "held: told on the landing page of its redirect",
  "the wait on this page is over: left for the next page",
  "taken over from an earlier page",
  "@ is ",
  "handed to the stub of @",
  "handed to @",
  "@ took charge",
  "@ threw: ",
];
const [PARKED, WAITS, CONFIRMED, THREW] = [2, 4, 7, 8];
const REASONS = [
  "",
  "no destination is wanted",
  "the outbox is full",
  "it waited longer than carryOverMs",
  "it waited longer than maxWaitMs, and carryOverMs is 0",
  "the same was handed over, or waits, already",
  "another tab handed it over",
  "the same was handed over before",
  "consent was refused",
  "@",
];
const [FULL, SAME] = [2, 5];

/* global EXTRAS_INTEGRITY: set by the build */
const random = () => Array.from({ length: 26 }, () => ((Math.random() * 36) | 0).toString(36)).join("");
const here = () => location.origin + location.pathname;

export function makeBridge(report, tag, ...whereabouts) {
  const { warn } = report;
  const page = wall() + "-" + random(); // names in alphabetical order are in the order of time
  const store = makeStore(warn);
  const session = makeSession(store, page);
  const items = new Map(); // by number: the decisions that have not ended, and those that may go on to late comers
  const seen = DESTINATIONS.map(() => ({ state: MISSING, waited: 0 }));
  const exposures = new Set(); // the names of what was sent
  const entrances = { __proto__: null }; // by which ways decisions of a source came
  // What Segment tells, from the first moment on: for the extras, which come later.
  const heard = [];
  const listeners = "dispatch_start track page identify reset initialize".split(" ").map((name) => [name, (...told) => void heard.push([name, told])]);
  const hooked = new WeakSet();
  const sources = makeSources(decide, report, (kind) => options && options.sourceOptions[kind]);
  let state = "starting";
  let visitor = random(); // stands in where a decision does not name its unit
  let count = 0;
  let inside = 0; // how many of our calls into the page are under way
  let nested = 0;
  let signalsAt = -Infinity;
  let shownPreview = "";
  let shownQa = "";
  let options;
  let targets; // the places of the destinations that are wanted
  let fed; // whether there is a core, and it knows all that we know
  let busy;
  let asked; // the last answer about consent
  let fetching; // the extras
  let extras; // what they do, once they are there
  let query;
  let redirecting; // whether there are decisions that may redirect
  let redirect; // what the redirect cookie said then
  let timer;
  let due; // when the timer is

  const core = makeCore(
    {
      report,
      begin() {
        state = "running";
        start();
      },
      end(why) {
        state = why;
        fed = busy = false;
        // The next one is told all of it.
        for (const item of items.values()) item.told = false;
      },
    },
    tag,
    ...whereabouts
  );

  // Granted, unknown, refused.
  const consent = () => (!options.requireConsent || asked ? 0 : asked === undefined ? 1 : 2);

  // ── Starting ──

  function init(given) {
    if (options) return warn("init: was called before; this call changes nothing");
    const mistakes = [];
    options = parse(given, mistakes);
    report.debug = options.debug;
    const wanted = ({ kind }, index) => (options.destinations === "auto" ? index < AUTO : options.destinations.includes(kind));
    targets = [...DESTINATIONS.keys()].filter((index) => wanted(DESTINATIONS[index], index));
    start();
    mistakes.forEach(report.error);
  }

  // Feeds the core. On a page that is being prerendered everything starts when it is activated.
  function start() {
    if (!options || document.prerendering) return;
    if (options.extras) return fetchExtras();
    if (fed || state !== "running") return;
    // What starts now runs as one, so that what a tool's state knows of a decision joins it before it leaves.
    fed = busy = true;
    const treatment = (name, names) => names.indexOf(options[name]);
    const [preview, qa] = ["preview", "qa"].map((name) => treatment(name, ["drop", "mark", "send"]));
    const flags = preview | (qa << 2) | (treatment("holdback", ["auto", "drop", "send"]) << 4) | ((options.dedupe === "none") << 6) | ((options.destinations === "auto") << 7);
    core.call("init", options.pollIntervalMs, options.maxWaitMs, options.carryOverMs, flags, targets.reduce((bits, index) => bits | (1 << index), 0));
    open();
    tellAll();
    attempt(() => sources.find(options.sources));
    serve();
    busy = false;
    run();
  }

  // What came before there was a core, or where there was no stack left to go on.
  function tellAll() {
    for (const item of items.values()) if (!item.told && !item.ended) tell(item);
  }

  // Opens the browser's storages, and what earlier pages left in them, as soon as we may.
  function open() {
    if (!consent()) {
      if (!store.open()) warn("storage is blocked: nothing can be remembered for the next page");
      const known = store.read(SITE, "visitor");
      if (known && known.length <= 64) visitor = known;
      else store.write(SITE, "visitor", visitor);
    }
    learn(true);
    if (consent()) return;
    takeOver();
    if (options.writeKey) attempt(() => loadSegment(options.writeKey, options.cdnUrl, tag && tag.nonce), (error) => warn("analytics.js could not be loaded: " + error));
  }

  // Takes over what earlier pages left: those that said goodbye, and those that left something untouched
  // for so long that they cannot be alive.
  function takeOver() {
    for (const name of store.names(SITE, "out/")) {
      const [, holder] = name.split("/");
      const item = revive(store.read(SITE, name), wall());
      if (holder === page || !(store.read(SITE, "left/" + holder) || !item || wall() - item.receivedAt > ABANDONED_MS)) continue;
      store.remove(SITE, name);
      if (!item) continue;
      item.id = ++count;
      item.ids = {};
      for (const [index, , id] of item.to) item.ids[index] = id;
      items.set(item.id, item);
      report.came(item.id, item.decision);
      // The decision of this page, where its redirect landed.
      if (item.decision.source === "optimizelyWeb") land(item.decision, redirectReferrer(experimentOf(item.decision)));
      tell(item);
    }
    for (const name of store.names(SITE, "left/")) store.remove(SITE, name);
  }

  // What not every page asks for is fetched where one does, and awaited: what it does for our own events,
  // too, it has to do from the first one on.
  function fetchExtras() {
    if (fetching) return;
    attempt(() => {
      const { analytics } = window;
      if (!options.forwardEvents.to || typeof analytics.on !== "function" || analytics.nodeType) return;
      hooked.add(analytics);
      for (const listener of listeners) analytics.on(...listener);
    });
    const late = new Promise((_, reject) => (fetching = setTimeout(reject, 3000, "no answer")));
    Promise.race([late, fetchBeside("extras", EXTRAS_INTEGRITY, tag, ...whereabouts)])
      .then((make) => (extras = make({ given: options, store, exposures, heard, listeners, hooked, tellConsent: setConsent })))
      .catch((error) => {
        heard.push = () => {};
        warn("consentFrom, identify, alias, forwardEvents and statsig do nothing: " + error);
      })
      .then(() => {
        clearTimeout(fetching);
        options.extras = false;
        start();
        serve();
      });
  }

  // Lets run what runs beside the decisions, as long as we may.
  function serve() {
    if (extras) extras.serve(fed && !consent() ? options : undefined);
  }

  // ── Decisions ──

  /** A decision came in, by a call of the page or from a tool's client. */
  function decide(decision, byCall) {
    if (inside && (inside > 50 || ++nested > MOST)) return warn("each event makes the page decide more, without end: the rest is dropped");
    const item = { __proto__: null, id: ++count, decision, receivedAt: wall() };
    Object.assign(decision, { pageUrl: here(), pagePath: location.pathname, pageTitle: attempt(() => text(document.title)) });
    items.set(item.id, item);
    outside(() => report.came(item.id, decision));
    if (decision.shortened) report.step(item.id, "what was longer than 512 characters was cut");
    if (decision.refused === "invalid") report.error(decision.refusal);
    entered(sources.kinds.includes(decision.label) ? decision.label : decision.source, byCall);
    if (fed) {
      learn();
      tell(item);
      run();
    } else if (items.size > MOST) end(item, "expired", "too many decisions came before `init`");
  }

  // Calls into the page.
  function outside(call) {
    inside++;
    try {
      return call();
    } finally {
      inside--;
    }
  }

  // Where decisions of a source come both ways, somebody did twice what once is enough.
  function entered(kind, byCall) {
    entrances[kind] |= byCall ? 2 : 1;
    if (entrances[kind] > 2 && kind !== "direct") warn("decisions of " + kind + " come both by calls and from its client, each is sent once: switch the calls off, or leave it out of `sources`");
  }

  // Tells the core of a decision: a new one, or one that an earlier page, or a core that died, had already.
  function tell(item) {
    const { decision, ids, done } = item;
    if (!ids) {
      const name = decision.experimentName || decision.experimentKey || experimentOf(decision);
      if (!decision.refused && /^\d+$/.test(name)) warn("experiment " + name + " has no readable name, only its id");
      item.preview = (!isForcedTracking(shownQa) && decision.forced) || shownPreview;
      item.qa = decision.qa || shownQa;
      item.isPreview = !!item.preview && options.preview === "mark";
      item.isQa = !!item.qa && options.qa === "mark";
    }
    core.hash(KEY, ...keyFields(decision));
    item.key = core.hex();
    core.hash(OUTCOME, ...outcomeFields(decision));
    item.outcome = core.hex();
    redirecting ||= decision.mayRedirect;
    const bits = [decision.isHoldback, decision.personalization, item.preview, item.qa, decision.mayRedirect, decision.mayRedirect && isRedirecting(experimentOf(decision)), item.period === session.period];
    const flags = bits.reduce((flags, bit, place) => flags | (!!bit << (place + 4)), VERDICTS.indexOf(decision.refused) + 1);
    if (ids) {
      const to = item.to || targets.map((index) => [index, 1, ids[index], ids[index]]);
      for (const [index, occurrence, , offered] of to) if (!done?.includes(index)) core.call("parcel", index, occurrence, !!offered);
      core.call("carried", item.id, flags, item.receivedAt);
    } else {
      remembered(item);
      core.call("decided", item.id, flags);
    }
    // Unless the core died of it.
    item.told = fed;
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
      shownQa = kept("qa", qa(shown, options.qaSignals));
      shownPreview = kept("preview", preview(shown, (name) => granted && attempt(() => sessionStorage[name])));
      if (isForcedTracking(shownQa)) shownPreview = "";
    }
    const told = redirecting && redirectCookie();
    if (told !== redirect) {
      redirect = told;
      for (const { id, decision } of items.values()) if (decision.mayRedirect) core.call("leaving", id, isRedirecting(experimentOf(decision), told));
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
    for (const index of targets) {
      const mark = memory[DESTINATIONS[index].kind];
      if (mark) core.call("remembered", index, mark[0], mark[1] === item.outcome);
    }
  }

  // Changes what is remembered for its dedupe key: `change` gives another mark, none, or the same.
  function rewrite(item, index, change) {
    const memory = recall(item);
    const { kind } = DESTINATIONS[index];
    memory[kind] = change(memory[kind] || []);
    const marks = Object.entries(memory).filter(([, mark]) => mark && mark[1]);
    store.write(session.shelf, "seen/" + item.key, [session.period, ...marks].flat(2).join(" "));
  }

  // ── What the core asks ──

  // Does it until it asks no more. Page code that is called from here and calls back only adds to what
  // this run will do. What is soon done is done at once, however slow the machine.
  function run(most = SLICE_MS) {
    if (busy || !fed) return;
    busy = true;
    const until = steady() + most;
    let more = false;
    try {
      for (let done = 0, effect; !more && (effect = core.call("poll")); ) {
        attempt(() => perform(effect));
        more = ++done > 50 && steady() > until;
      }
    } finally {
      busy = false;
    }
    setTimer(more);
  }

  function perform(effect) {
    const take = (size) => {
      const part = effect % size;
      effect = (effect - part) / size;
      return part;
    };
    const [kind, index, arg] = [take(16), take(8), take(65536)];
    ACTIONS[kind](items.get(effect), index, arg);
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
    // A mark of something younger stays.
    (item, index, occurrence) => rewrite(item, index, (mark) => (mark[0] > occurrence ? mark : [occurrence, item.outcome])),
    (item, index, occurrence) => rewrite(item, index, (mark) => (mark[0] === occurrence && mark[1] === item.outcome ? [] : mark)),
    () => store.write(SITE, "left/" + page, "1"),
    () => {
      store.purge();
      session.forget();
    },
    step,
    finish,
  ];

  const nameOf = ({ id }) => "out/" + page + "/" + String(id).padStart(7, "0");

  function keep(item) {
    const to = [];
    for (const index of targets) {
      const open = core.call("open", item.id, index);
      if (open >= 0) to.push([index, open >> 1, messageId(item, index), open & 1]);
    }
    item.period ??= session.period;
    store.write(SITE, nameOf(item), record(item, to));
  }

  // The same whenever this decision is told again, and different for every visitor: Segment dedupes
  // across all visitors of a workspace.
  function messageId(item, index) {
    const { decision, ids, id } = item;
    if (ids && ids[index]) return ids[index];
    core.hash(WHO, "decision-bridge", decision.project || options.writeKey || location.host, decision.userId || visitor);
    core.call("message_id", id, index);
    return "db-" + core.hex();
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
    const { decision, id } = item;
    const { kind, send } = DESTINATIONS[index];
    const idempotencyKey = messageId(item, index);
    (item.ids ??= {})[index] = idempotencyKey;
    const { pageUrl: url, pagePath: path, pageTitle: title } = decision;
    const answer = attempt(
      () => outside(() => {
        const exposure = spell(item, options, kind);
        exposures.add(exposure.name);
        Object.assign(exposure, { decision, options, messageId: idempotencyKey, time: isoTime(decision.decidedAt) });
        exposure.traits = (experiments) => (extras ? extras.traits(experiments, session.period) : () => {});
        exposure.page = url && url !== here() && { url, path, ...(title && { title }), search: "" };
        const confirmed = () => {
          core.call("confirmed", id, index);
          run();
          warnOfNative();
        };
        return send(exposure, seen[index].state === STUB, confirmed) ? 1 : 0;
      }),
      (error) => {
        item.error = attempt(() => text(String(error)).slice(0, 2000)) ?? "something that has no text";
        return 2;
      }
    );
    core.call("called", id, index, answer);
  }

  const worded = (words, index) => words.replace("@", DESTINATIONS[index].kind);

  function step(item, index, arg) {
    const step = arg % 16;
    const told = worded(STEPS[step], index) + (step === WAITS ? STATES[arg >> 4] + ": waits" : step === THREW ? item.error : "");
    report.step(item.id, told);
    // What a core that dies has no need to leave to the next one.
    if (step === CONFIRMED) (item.done ??= []).push(index);
    if (step === PARKED) warnOfParking();
    if (step === THREW) report.error(told);
  }

  function finish(item, index, arg) {
    const verdict = VERDICTS[arg % 16];
    const reason = arg >> 4;
    const own = { __proto__: null, holdback: "the visitor is held back, and not in the experiment", preview: item.preview, qa: item.qa }[verdict];
    if (reason === SAME) enrichWaiting(item);
    if (reason === FULL) warn("more than 1000 decisions wait: those that come now are dropped");
    end(item, verdict, worded(REASONS[reason], index) || item.decision.refusal || own);
  }

  function end(item, verdict, why) {
    item.ended = true;
    sweep(item);
    report.end(item.id, verdict, why);
  }

  // What has ended may stay for destinations that come late.
  function sweep({ id, ended }) {
    if (ended && !targets?.some((index) => core.call("open", id, index) >= 0)) items.delete(id);
  }

  // A duplicate may know more than the one that waits: names, the referrer of a redirect.
  function enrichWaiting({ id, key, decision }) {
    const same = [...items.values()].reverse().find((item) => item.key === key && item.id !== id);
    if (same && core.call("waits", same.id) && enrich(same.decision, decision) && same.stored) keep(same);
  }

  // ── Time, and what happens on the page ──

  // One timer serves all; it is set when the core wants one earlier than it is, or when the one that was
  // set is long overdue.
  function setTimer(more) {
    const wanted = more ? 0 : core.call("wake_in");
    const now = steady();
    const next = wanted >= 0 ? now + wanted : Infinity;
    if (now - due < OVERDUE_MS && due <= next && next < Infinity) return;
    due = undefined;
    attempt(() => clearTimeout(timer));
    if (next < Infinity) {
      due = next;
      timer = attempt(() => setTimeout(() => {
        due = undefined;
        attempt(lookAgain);
      }, wanted));
    }
  }

  function lookAgain() {
    start();
    if (!fed) return;
    learn();
    attempt(() => sources.find(options.sources));
    if (extras) extras.look();
    tellAll();
    core.call("tick");
    items.forEach(sweep);
    run();
  }

  function setConsent(granted) {
    if (typeof granted !== "boolean") return report.error(fault("consent", "argument 1", granted, "true or false"));
    if (options && !options.requireConsent) warn("consent: says nothing without the option `requireConsent`");
    const closed = fed && consent();
    asked = granted;
    if (!fed) return;
    if (closed && granted) open();
    else learn(true);
    serve();
    lookAgain();
  }

  // ── Warnings, and the report ──

  function warnOfParking() {
    const missing = (index) => seen[index].state === MISSING;
    const auto = options.destinations === "auto";
    const rest = " maxWaitMs: decisions wait for the next page";
    // Of those that were only looked for, nobody misses one when another is there.
    if (auto && targets.every(missing)) return warn("no analytics tool was found within" + rest);
    for (const index of targets) {
      const { state } = seen[index];
      if (STATES[state] !== "ready" && !(auto && missing(index))) warn(DESTINATIONS[index].kind + " is " + STATES[state] + (state === STUB ? ", its script may be blocked," : "") + " after" + rest);
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
    const told = { state: state !== "running" || fed ? state : !options ? "waiting for init" : document.prerendering ? "waiting for the page to be shown" : "starting", options: {}, destinations: [] };
    if (options) {
      warnOfNative();
      told.options = shown(options);
      // Of those that were only looked for, Segment is what people expect to read about.
      told.destinations = targets.filter((index) => lookFor(index) || options.destinations !== "auto" || !index).map((index) => {
        const { state, since, waited } = seen[index];
        return { name: DESTINATIONS[index].kind, state: STATES[state], waitedMs: Math.floor(since ? steady() - since : waited) };
      });
    }
    told.signals = { preview: shownPreview || null, qa: shownQa || null };
    // The ids of both sides, so that identities can be compared. Segment's is read where it is kept:
    // asking analytics.js for it would create one.
    told.ids = { anonymousId: cookie("ajs_anonymous_id") || null, visitorId: visitorOf(window.optimizely) || null };
    return report.diagnose({ ...told, sources: sources.shown() });
  }

  return {
    attach: sources.attach,
    diagnose,

    // What happened on the page.
    look: lookAgain,
    hidden() {
      // Better without the extras than not at all.
      if (options) options.extras = false;
      start();
      if (!fed) return;
      learn();
      core.call("hidden");
      run(Infinity);
    },
    shown() {
      if (!fed) return;
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
