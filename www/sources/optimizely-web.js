// Optimizely Web, and Performance Edge: the analytics callback, the event `campaignDecided` and the
// client's state, all read into the same decision, so that whichever comes second is a duplicate.
import { fill, isComplete, isPlausible, make, readHoldback, readId, refuse, take, unexposed } from "../decision.js";
import { ask, at, can, cookie, fault, find, get, isList, keys, moment, text } from "../read.js";

const NAMES = ["optimizely", "optimizelyEdge"];
const KINDS = ["campaign", "experiment", "variation"];
const WHO = "trackLayerDecision: field";
const DAY = 86400000;

// The client on the page may be a queue that the real one replaces, so it goes by its name, and is told
// what to do by `push`.
export default {
  kind: "optimizelyWeb",
  wanted: "window.optimizely or missing",
  hooked: "campaignDecided",
  fits: (client) => NAMES.find((name) => client === window[name]),

  // Where the page names this source it is sure to come: the queue may be made for it.
  find(named) {
    if (named && !window.optimizely) window.optimizely = [];
    return NAMES.filter((name) => can(window[name], "push") && !window[name].nodeType);
  },

  hook(name, told) {
    let listening = true;
    const replay = (redirected) => readState(window[name], Date.now(), redirected).forEach(told);
    const listen = (event, handler) =>
      window[name].push({ type: "addListener", filter: { type: "lifecycle", name: event }, handler: (event) => listening && handler(event) });
    listen("campaignDecided", (event) => told(readEvent(event, window[name], Date.now())));
    // The decision that redirected the visitor here is told by no event; Optimizely knows of it once it
    // is initialized. So are, on Performance Edge, all decisions.
    listen("initialized", () => replay(name === NAMES[0]));
    replay();
    return () => (listening = false);
  },
};

/** Reads the variables of the analytics callback, as `trackLayerDecision` received them. */
export function readCallback(call, client, now, mistakes) {
  const decision = make("optimizelyWeb", now);
  if (Object(call) !== call || isList(call)) {
    refuse(decision, "invalid", fault("trackLayerDecision", "argument 1", call, "an object"));
    return decision;
  }
  KINDS.forEach((kind, place) => {
    const name = kind + "Id";
    const id = get(call, name);
    // `null` is how Optimizely says that the visitor did not qualify.
    const wrong = readId(decision, name, [WHO, name, id], !place || (place === 1 && id === undefined), mistakes);
    if (wrong) refuse(decision, "invalid", wrong);
  });
  decision.isHoldback = readHoldback(get(call, "isHoldback"), WHO, mistakes);
  const data = get(call, "decisionData");
  for (const told of [get(call, "decidedAt"), get(data, "timestamp")]) if (isPlausible(moment(told), now)) decision.decidedAt = moment(told);
  if (get(data, "timing") === "postRedirectPolicy") take(decision, data, "referrer");
  take(decision, call, "campaignName=campaign.name eventName=extension.eventName eventName=extension.event_name");
  take(decision, data, "project=projectId userId=visitorId campaignName=layerName experimentName variationName");
  judge(decision, data);
  const state = get(call, "state");
  // A global named `state` may be anything.
  complete(decision, text(at(call, "campaign.policy")) || get(data, "layerPolicy"), can(state, "getDecisionObject") ? state : stateOf(client), client);
  return decision;
}

/** Reads an event `campaignDecided`. It comes in preview too, and on the page *before* a redirect. */
export function readEvent(event, client, now) {
  const decision = make("optimizelyWeb", now);
  const data = get(event, "data");
  const told = get(data, "decision");
  decision.mayRedirect = true;
  take(decision, told, "campaignId experimentId variationId");
  decision.isHoldback = get(told, "isCampaignHoldback") === true;
  judge(decision, told);
  readAudiences(decision, data);
  take(decision, data, "campaignName=campaign.name");
  // Personalization campaigns carry several experiments: by id, never the first.
  const experiment = find(at(data, "campaign.experiments"), decision.experimentId);
  take(decision, experiment, "experimentName=name");
  take(decision, find(get(experiment, "variations"), decision.variationId), "variationName=name");
  complete(decision, at(data, "campaign.policy"), stateOf(client), client);
  return decision;
}

/**
 * Reads what Optimizely's state tells of the decisions that were made before we listened: those of this
 * activation, and the one that redirected the visitor to this page. With `redirected`, only the latter.
 */
export function readState(client, now, redirected) {
  const found = [];
  const state = stateOf(client);
  // Performance Edge knows experiments without campaigns. Offer-consistency campaigns are only in the
  // last; the others are in both.
  ["getActiveExperiments", "getCampaignStates", "getCampaignStateLists"].forEach((method, which) => {
    const all = ask(state, method);
    for (const id of keys(all)) {
      const entry = get(all, id);
      const known = found.some(({ campaignId }) => campaignId === id);
      const decision = !known && readEntry(which > 1 ? get(entry, 0) : entry, id, !which, redirected, state, client, now);
      if (decision) found.push(decision);
    }
  });
  return found;
}

// On Performance Edge (`edge`) all experiments are active, and a redirect is told in a cookie only.
function readEntry(entry, id, edge, redirected, state, client, now) {
  const active = (edge || get(entry, "isActive") === true) && !redirected;
  if (!active && get(entry, "visitorRedirected") !== true) return;
  // The activation's id is the time of the activation in ms.
  const activation = +text(ask(state, "getActivationId"));
  const decision = make("optimizelyWeb", activation > now - DAY && activation <= now ? Math.floor(activation) : now);
  fill(decision, edge ? { experimentId: id, experimentName: get(entry, "name") } : { campaignId: id });
  decision.isHoldback = get(entry, "isInCampaignHoldback") === true;
  take(decision, entry, "experimentId=experiment.id variationId=variation.id");
  readNames(decision, entry);
  judge(decision, entry);
  if (edge) fill(decision, { referrer: redirectReferrer(id) });
  complete(decision, edge && "single_experiment", state, client);
  return decision;
}

// Kind, names, audiences, project, visitor and referrer, from the tool's decision object, its state and
// its data, in this order.
function complete(decision, policy, state, client) {
  if (decision.refused) return;
  const { campaignId, experimentId } = decision;
  // It throws for some campaigns, and right after a redirect it answers with the redirect's decision
  // for campaigns it does not know. So ids are compared throughout.
  const object = ask(state, "getDecisionObject", { campaignId });
  for (const kind of KINDS) {
    const told = get(object, kind);
    const id = decision[kind + "Id"] || "";
    const flat = text(told).endsWith("(" + id + ")") && told.slice(0, -id.length - 2).replace(/ $/, "");
    fill(decision, { [kind + "Name"]: flat || (text(get(told, "id")) === id && get(told, "name")) });
  }
  const known = campaignId && get(ask(state, "getCampaignStates", { id: campaignId }), campaignId);
  if (text(at(known, "experiment.id")) === experimentId) readNames(decision, known);
  // The referrer in front of a redirect goes to the experiment that redirected, and to no other.
  const redirect = ask(state, "getRedirectInfo");
  if (text(get(redirect, "experimentId")) === experimentId) take(decision, redirect, "referrer");
  const data = ask(client, "get", "data");
  const about = (kind, name) => get(get(get(data, kind + "s"), decision[kind + "Id"]), name);
  for (const kind of KINDS) fill(decision, { [kind + "Name"]: about(kind, "name") });
  fill(decision, { project: get(data, "projectId"), userId: visitor(client) });
  // An A/B test or a personalization? It matters for the holdback: outside the experiment for the one,
  // the control group for the other. Where no policy is told, the decision object betrays it: `null` for
  // an A/B holdback, a `holdback` field for a personalization. Where nothing tells, a holdback is sent,
  // marked: a marked event can be filtered, a dropped one cannot be recovered.
  const kind = text(policy) || text(about("campaign", "policy"));
  if (kind ? !/^(single_experiment|multivariate)$/.test(kind) : object !== null && (get(object, "holdback") !== undefined || decision.isHoldback)) {
    decision.personalization = true;
  }
}

/** Optimizely's id of the visitor; empty when it is not known. */
export const visitor = (client) =>
  text(get(ask(client, "get", "visitor_id"), "randomId")) || text(get(ask(client, "get", "visitor"), "visitorId")) || cookie("optimizelyEndUserId");

// The cookie that relays a redirecting decision to the landing page; it lives 5 seconds.
export const redirectCookie = () => cookie("optimizelyRedirectData");

/**
 * Whether Optimizely is about to leave this page for a variation of the experiment: it writes the
 * redirect cookie, navigates, and reports the decision on the landing page.
 */
export const isRedirecting = (experiment, told = redirectCookie()) => !!experiment && told.split('"').includes(experiment);

/** The referrer in front of the redirect that the experiment made, told before Optimizely's own state does. */
export function redirectReferrer(experiment, told = redirectCookie()) {
  const [, referrer] = /"r" *: *"([^"]*)/.exec(told) || [];
  return isRedirecting(experiment, told) ? referrer : "";
}

// Whether it was forced, and whether anybody was exposed: Optimizely reports visitors who did not qualify
// too, and decisions of concluded campaigns.
function judge(decision, told) {
  if (get(told, "reason") === "force") decision.forced = "reason: force";
  unexposed(decision, get(told, "isLayerConcluded") === true && "the campaign is concluded");
  unexposed(decision, !isComplete(decision) && "no variation");
}

const stateOf = (client) => ask(client, "get", "state");

// The names in an entry of the state.
function readNames(decision, entry) {
  take(decision, entry, "campaignName experimentName=experiment.name");
  if (text(at(entry, "variation.id")) === decision.variationId) take(decision, entry, "variationName=variation.name");
  readAudiences(decision, entry);
}

function readAudiences(decision, told) {
  const all = get(told, "audiences");
  const texts = (name, divider) => isList(all) && all.map((item) => text(get(item, name))).join(divider);
  fill(decision, { audienceId: texts("id", ","), audienceName: texts("name", ", ") });
}
