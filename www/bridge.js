// The bridge: brings decisions to the core with what the page shows, and does what the core asks. What
// is judged, held, delivered and remembered is the core's to say.

// In the order in which they weigh least: the alphabet costs some 50 bytes more.
import { CONFIRMED, FULL, PARKED, REASONS, SAME, STEPS, THREW, WAITS } from "./words.js";
import { makeSources } from "./sources.js";
import { VERDICTS } from "./report.js";
import { awaitExtras } from "./await-extras.js";
import { isRedirecting, readCallback, redirectCookie, redirectReferrer, visitor as visitorOf } from "./sources/optimizely-web.js";
import { makeCore } from "./core.js";
import { read as readDirect } from "./sources/direct.js";
import { makeWatch } from "./watch.js";
import { enrich, experimentOf, keyFields, land, outcomeFields, sourceOf } from "./decision.js";
import { steady, wall } from "./clock.js";
import { loadSegment } from "./destinations/segment.js";
import { isForcedTracking, makeSignals } from "./signals.js";
import { AUTO, DESTINATIONS } from "./destinations.js";
import { STATES, STUB } from "./destinations/state.js";
import { SITE, makeStore } from "./store.js";
import { nameVisitor } from "./visitor.js";
import { makeSession } from "./session.js";
import { at, attempt, can, cookie, fault, find, text } from "./read.js";
import { record, revive } from "./record.js";
import { parse, shown } from "./options.js";
import { isoTime, spell } from "./spelling.js";

const SLICE_MS = 25; // for which the page may be kept busy in one go: half of a long task
const ABANDONED_MS = 60000; // how long a page that did not say goodbye is given before others take over
const MOST = 1000; // how many decisions wait for `init`, or may come while we call the page
const [KEY, OUTCOME, PERIOD, WHO] = [0, 1, 2, 3]; // the core's registers

const random = () => [1, 2, 3].map(() => Math.random().toString(36).slice(2)).join("");
const bits = (flags) => flags.reduce((sum, flag, place) => sum + (!!flag << place), 0);
const here = () => location.origin + location.pathname;

export function makeBridge(report, tag, ...whereabouts) {
  const { warn } = report;
  const page = wall() + "-" + random(); // names in alphabetical order are in the order of time
  const store = makeStore(warn);
  const session = makeSession(store, page);
  const signals = makeSignals(store);
  const watch = makeWatch(warn);
  const items = new Map(); // by number: the decisions that have not ended, and those that may go on to late comers
  const untold = new Set(); // the items that the core may not know yet, in the order in which it has to be told
  const taken = new Set(); // the entries of earlier pages that are ours now
  const exposures = new Set(); // the names of what was sent
  const entrances = { __proto__: null }; // by which ways decisions of a source came
  const sources = makeSources(decide, report, (kind) => options && options.sourceOptions[kind]);
  let state = "starting";
  let visitor = ""; // stands in where a decision does not name its unit
  let count = 0;
  let busy = 0; // how many things that are done as one are under way, each within another
  let full; // whether the last thing the core said is that it is full
  let nested = 0; // how many decisions came within that, since one came by itself
  let options;
  let targets = []; // the places of the destinations that are wanted
  let fed; // whether there is a core: 1 when it knows the options, 2 when all items are on their way to it
  let asked; // the last answer about consent
  let awaited; // the extras
  let extras; // what they do, once they are there
  let redirecting; // whether there are decisions that may redirect
  let redirect; // what the redirect cookie said then
  let timer;

  const core = makeCore(
    {
      report,
      begin() {
        state = "running";
        lookAgain();
      },
      end(why) {
        state = why;
        startAnew();
      },
    },
    tag,
    ...whereabouts
  );

  // Granted, unknown, refused.
  const consent = () => (!options.requireConsent || asked ? 0 : asked === undefined ? 1 : 2);

  // ── Starting ──

  function init(given) {
    if (options) return warn("init: was called before");
    const mistakes = [];
    options = parse(given, mistakes);
    report.debug = options.debug;
    const { destinations } = options;
    targets = DESTINATIONS.flatMap(({ kind }, index) => ((destinations === "auto" ? index < AUTO : destinations.includes(kind)) ? index : []));
    lookAgain();
    mistakes.forEach(report.error);
  }

  // The core is to be fed again, and told all of it.
  function startAnew() {
    fed = false;
    untold.clear();
    for (const item of items.values()) item.known = false;
  }

  // Feeds a core that is new.
  function feed() {
    fed = 1;
    const { preview, qa, holdback, dedupe, destinations, pollIntervalMs, maxWaitMs, carryOverMs } = options;
    const flags = [preview === "mark", preview === "send", qa === "mark", qa === "send", holdback === "drop", holdback === "send", dedupe === "none", destinations === "auto"];
    core.call("init", pollIntervalMs, maxWaitMs, carryOverMs, bits(flags), targets.reduce((bits, index) => bits | (1 << index), 0));
    open();
  }

  // Opens the browser's storages, and names the visitor, as soon as we may.
  function unlock() {
    // At once. What the core asked for before goes to memory, until it has that purged too.
    if (consent() > 1) store.purge();
    else if (!consent()) {
      store.open();
      visitor = nameVisitor(store, page, visitor);
    }
  }

  // Begins, or begins anew, as far as there is consent.
  function open() {
    unlock();
    learn();
    if (consent()) return;
    takeOver();
    if (options.writeKey) attempt(() => loadSegment(options.writeKey, options.cdnUrl, tag?.nonce), (error) => warn("analytics.js could not be loaded: " + error));
  }

  // Takes over what earlier pages left: those that said goodbye, and those that left something untouched
  // for so long that they cannot be alive.
  function takeOver() {
    for (const name of store.names(SITE, "out/")) {
      const [, holder] = name.split("/");
      const item = revive(store.read(SITE, name), wall());
      if (holder === page || !(store.read(SITE, "left/" + holder) || !item || wall() - item.receivedAt > ABANDONED_MS)) continue;
      if (!item) store.remove(SITE, name);
      // It may still stand since we took it over.
      if (!item || taken.has(name)) continue;
      taken.add((item.old = name));
      item.id = ++count;
      item.ids = {};
      for (const [index, , id] of item.to) item.ids[index] = id;
      items.set(item.id, item);
      // The decision of this page, where its redirect landed.
      if (item.decision.source === "optimizelyWeb") land(item.decision, redirectReferrer(experimentOf(item.decision)));
      report.came(item.id, item.decision);
      untold.add(item);
    }
    for (const name of store.names(SITE, "left/")) store.remove(SITE, name);
  }

  // ── Decisions ──

  /** A decision came in, by a call of the page or from a tool's client. */
  function decide(decision, byCall) {
    // Who was caught once at deciding without end is not believed again.
    if (!busy && nested <= MOST) nested = 0;
    if (busy && (busy > 50 || ++nested > MOST)) return warn("the page decides without end: the rest is dropped");
    const item = { __proto__: null, id: ++count, decision, receivedAt: wall() };
    Object.assign(decision, { pageUrl: here(), pagePath: location.pathname, pageTitle: attempt(() => text(document.title)) });
    items.set(item.id, item);
    asOne(() => {
      report.came(item.id, decision);
      if (decision.shortened) report.step(item.id, "was cut at 512 characters");
      if (decision.refused === "invalid") report.error(decision.refusal);
    });
    const source = sourceOf(decision);
    entrances[source] |= byCall ? 2 : 1;
    // Somebody did twice what once is enough.
    if (entrances[source] > 2) warn("decisions of " + source + " come both by calls and from its client: switch the calls off");
    // In a burst not each has to be asked about.
    if (full) asOne(() => end(item, "expired", REASONS[FULL]));
    else if (fed) {
      learn();
      // Not before what came earlier.
      if (fed > 1) untold.add(item);
    } else if (items.size > MOST) asOne(() => end(item, "expired", "more than 1000 decisions wait for `init`"));
    if (!full) run();
    return item;
  }

  // Tells the core of the next decision, if there is one: a new one, or one that an earlier page, or a core that
  // died, had already.
  function tellNext() {
    const [item] = untold;
    untold.delete(item);
    if (!item || item.ended || item.known) return item;
    // Unless the core, or the stack, came to its end: then at the next look.
    item.known = attempt(() => {
      introduce(item);
      return fed;
    });
    return item;
  }

  // Finds out what the core has to know of it, and says that.
  function introduce(item) {
    const { decision, ids, done } = item;
    if (!ids) {
      const name = decision.experimentName || decision.experimentKey || decision.experimentId;
      if (!decision.refused && /^\d+$/.test(name)) warn("experiment " + name + " has no name, only its id");
      item.preview = !isForcedTracking(signals.qa) && (decision.forced || signals.preview);
      item.qa = decision.qa || signals.qa;
      item.isPreview = !!item.preview && options.preview === "mark";
      item.isQa = !!item.qa && options.qa === "mark";
    }
    item.key = core.hash(KEY, ...keyFields(decision));
    item.outcome = core.hash(OUTCOME, ...outcomeFields(decision));
    redirecting ||= decision.mayRedirect;
    const facts = [decision.isHoldback, decision.personalization, item.preview, item.qa, decision.mayRedirect, decision.mayRedirect && isRedirecting(experimentOf(decision), (redirect ??= redirectCookie())), item.period === session.period];
    const flags = VERDICTS.indexOf(decision.refused) + 1 + 16 * bits(facts);
    // What was refused meanwhile goes the way of all that is.
    if (ids && consent() < 2) {
      const to = item.to || targets.map((index) => [index, 1, ids[index], ids[index]]);
      for (const [index, occurrence, , offered] of to) if (!done?.includes(index)) core.call("parcel", index, occurrence, !!offered);
      core.call("carried", item.id, flags, item.receivedAt);
    } else {
      for (const index of targets) remembered(item, index);
      core.call("decided", item.id, flags);
    }
  }

  // ── What the core is told ──

  // Finds out what it has to know about the page.
  function learn() {
    // Another tab may have had the last word.
    visitor = store.read(SITE, "visitor") || visitor;
    core.hash(PERIOD, session.continue(options, !consent()));
    signals.look(options, !consent());
    const told = redirecting && redirectCookie();
    if (told !== redirect) {
      redirect = told;
      for (const { id, decision } of items.values()) if (decision.mayRedirect) core.call("leaving", id, isRedirecting(experimentOf(decision), told));
    }
    core.call("facts", consent());
  }

  function remembered(item, index) {
    const [occurrence, outcome] = session.recall(item, index);
    if (outcome) core.call("remembered", index, occurrence, outcome === item.outcome);
  }

  // ── What the core asks ──

  // Tells it what it does not know yet, then does what it asks, until that is nothing. Page code that is
  // called from here and calls back only adds to what this run will do. What is soon done is done at once,
  // however slow the machine: a decision weighs as much as five things that are asked.
  function run(most = SLICE_MS) {
    if (busy || !fed) return;
    const until = steady() + most;
    let more = false;
    asOne(() => {
      for (let done = 0; !more && (tellNext() ? (done += 5) : performNext() && ++done); ) more = done > 50 && steady() > until;
    });
    setTimer(more);
  }

  // The page may call back meanwhile: that only adds to what is done.
  function asOne(action) {
    busy++;
    try {
      action();
    } finally {
      busy--;
    }
  }

  // From the lowest bit on: 4 of what to do, 3 of the destination, 16 of an argument, and the item.
  function performNext() {
    const effect = core.call("poll");
    full &&= !effect;
    if (effect) attempt(() => ACTIONS[effect & 15](items.get(Math.floor(effect / 2 ** 23)), (effect >> 4) & 7, (effect >> 7) & 65535));
    return effect;
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
    (item, index) => core.call("found", index, watch.look(index)),
    (item, index) => {
      remembered(item, index);
      core.call("recalled", item.id, index);
    },
    send,
    session.remember,
    session.forget,
    () => store.write(SITE, "left/" + page, "1"),
    () => {
      store.purge();
      // He may have agreed again meanwhile.
      unlock();
      session.end();
    },
    step,
    finish,
  ];

  const nameOf = ({ id }) => "out/" + page + "/" + String(id).padStart(7, "0");

  function keep(item) {
    const to = [];
    const ids = []; // by occurrence: they are made of nothing else that a destination has of its own
    for (const index of targets) {
      const open = core.ask("open", item.id, index);
      if (open >= 0) to.push([index, open >> 1, item.ids?.[index] || (ids[open >> 1] ||= messageId(item, index)), open & 1]);
    }
    item.period ??= session.period;
    if (!fed) return;
    if (store.write(SITE, nameOf(item), record(item, to))) forgetOld(item);
  }

  // What an earlier page wrote goes when ours stands in storage: this one may be killed in between.
  function forgetOld(item) {
    if (item.old) store.remove(SITE, item.old);
    item.old = 0;
  }

  // The same whenever this decision is told again, and different for every visitor: Segment dedupes
  // across all visitors of a workspace.
  function messageId(item, index) {
    const { decision, ids, id } = item;
    if (ids?.[index]) return ids[index];
    core.hash(WHO, "decision-bridge", decision.project || options.writeKey || location.host, decision.userId || visitor);
    core.ask("message_id", id, index);
    return "db-" + core.hex();
  }

  function send(item, index) {
    const { decision, id } = item;
    const { kind, send } = DESTINATIONS[index];
    const idempotencyKey = messageId(item, index);
    if (!fed) return; // the core died of making it, and what it made is nothing
    (item.ids ??= {})[index] = idempotencyKey;
    const { pageUrl: url, pagePath: path, pageTitle: title } = decision;
    const answer = attempt(
      () => {
        const exposure = {
          ...spell(item, options, kind),
          decision,
          options,
          messageId: idempotencyKey,
          time: isoTime(decision.decidedAt),
          traits: (experiments) => (extras ? extras.traits(experiments, session.period) : () => {}),
          page: url && url !== here() && { url, path, ...(title && { title }), search: "" },
        };
        exposures.add(exposure.name);
        const confirmed = () => {
          core.call("confirmed", id, index);
          run();
          warnOfNative();
        };
        return send(exposure, watch.state(index) === STUB, confirmed);
      },
      (error) => {
        item.error = attempt(() => String(error).slice(0, 2000)) ?? "something";
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
    item.held = step < PARKED;
    // What a core that dies has no need to leave to the next one.
    if (step === CONFIRMED) (item.done ??= []).push(index);
    if (step === PARKED) watch.warnOfParking(targets, options);
    if (step === THREW) report.error(told);
  }

  function finish(item, index, arg) {
    const verdict = VERDICTS[arg % 16];
    const reason = arg >> 4;
    if (reason === SAME) enrichWaiting(item);
    full = reason === FULL;
    if (full) warn("more than 1000 decisions wait: the rest is dropped");
    // The signal, where it is one of preview or QA.
    end(item, verdict, worded(REASONS[reason], index) || item.decision.refusal || item[verdict] || "the visitor is held back");
  }

  function end(item, verdict, why) {
    item.ended = true;
    forgetOld(item);
    sweep(item);
    report.end(item.id, verdict, why);
  }

  // What has ended may stay for destinations that come late.
  function sweep({ id, ended }) {
    if (ended && !targets.some((index) => core.ask("open", id, index) >= 0)) items.delete(id);
  }

  // A duplicate may know more than the one that waits: names, the referrer of a redirect.
  function enrichWaiting({ id, key, outcome, decision }) {
    const same = [...items.values()].reverse().find((item) => item.key === key && item.outcome === outcome && item.id !== id);
    if (same && core.ask("waits", same.id) && enrich(same.decision, decision) && same.stored) keep(same);
  }

  // ── Time, and what happens on the page ──

  // One timer serves all, and is set anew each time: the core says how long from now. One that could not be
  // cleared fires for nothing.
  function setTimer(more) {
    const wanted = more ? 0 : core.ask("wake_in");
    attempt(() => clearTimeout(timer));
    const mine = (timer = wanted >= 0 && attempt(() => setTimeout(() => mine === timer && attempt(lookAgain), wanted)));
  }

  // Whatever happened. On a page that is being prerendered everything starts when it is activated.
  function lookAgain(most) {
    if (!options || document.prerendering === true) return;
    // Before there is a core: another tab that opens at the same time has its word until then.
    if (!fed) unlock();
    if (options.extras) {
      awaited ??= awaitExtras({ given: options, error: report.error, store, exposures, tellConsent: setConsent }, warn, tag, ...whereabouts).then((made) => {
        extras = made;
        options.extras = false;
        lookAgain();
      });
      return;
    }
    if (state !== "running") return;
    // All of it is one, so that what a tool's state knows of a decision joins it before it leaves.
    asOne(() => {
      if (fed) learn();
      else feed();
      // What came before there was a core, or before it began anew, or where there was no stack left to go on.
      for (const item of items.values()) if (!item.known) untold.add(item);
      fed &&= 2;
      full = false;
      attempt(() => sources.find(options.sources));
      // What runs beside the decisions does so as long as we may.
      if (extras) extras.serve(consent() ? undefined : options);
      core.call("tick");
      items.forEach(sweep);
    });
    run(most);
  }

  function setConsent(granted) {
    if (typeof granted !== "boolean") return report.error(fault("consent", "argument 1", granted, "true or false"));
    if (options && !options.requireConsent) warn("consent: is of no use without `requireConsent`");
    // What storage has to say of those that came before the answer, it says now.
    if (fed && consent() === 1) startAnew();
    asked = granted;
    if (fed) open();
    lookAgain();
  }

  // ── Warnings, and the report ──

  // Segment's own Optimizely destination sends exposures of its own, with ids of its own: nothing tells
  // that ours are the same.
  function warnOfNative() {
    if (find(at(window, "analytics.queue.plugins"), "Optimizely", "name") || can(window, "optimizelyIntegration")) {
      warn("Segment's own Optimizely destination sends exposures too: switch it off");
    }
  }

  function diagnose() {
    if (options) warnOfNative();
    return report.diagnose({
      state: state !== "running" || fed ? state : !options ? "waiting for init" : document.prerendering ? "waiting for the page to be shown" : "starting",
      options: options ? shown(options) : {},
      // Of those that were only looked for, Segment is what people expect to read about.
      destinations: targets.filter((index) => watch.look(index) || options.destinations !== "auto" || !index).map(watch.shown),
      signals: { preview: signals.preview || null, qa: signals.qa || null },
      // The ids of both sides, so that identities can be compared. Segment's is read where it is kept:
      // asking analytics.js for it would create one.
      ids: { anonymousId: cookie("ajs_anonymous_id") || null, visitorId: visitorOf() || null },
      sources: sources.shown(),
    });
  }

  return {
    // What happened on the page.
    look: lookAgain,
    hidden() {
      // Better without the extras than not at all.
      if (options?.extras) {
        options.extras = false;
        lookAgain();
      }
      core.call("hidden");
      lookAgain(Infinity);
    },
    shown() {
      store.remove(SITE, "left/" + page);
      core.call("shown");
      lookAgain();
    },
    blocked(index) {
      watch.block(index);
      lookAgain();
    },

    // What the page may call, now or by `push`.
    methods: {
      init,
      attach: sources.attach,
      diagnose,
      trackLayerDecision: (call) => decideBy((mistakes) => readCallback(call, at(window, "optimizely"), wall(), mistakes)),
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
