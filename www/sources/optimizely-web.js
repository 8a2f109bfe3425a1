// Optimizely Web, and Performance Edge: the analytics callback, the event `campaignDecided` and the
// client's state, all read into the same decision, so that whichever comes second is a duplicate.
import { experimentOf, fill, isPlausible, make, readHoldback, readId, refuse, variationOf } from "../decision.js";
import { ask, at, cookie, fault, first, get, isList, keys, moment, text } from "../read.js";

const NAMES = ["optimizely", "optimizelyEdge"];
const IDS = ["campaignId", "experimentId", "variationId"];
const WHO = "trackLayerDecision: field";
const DAY = 86400000;

// The client on the page may be a queue that the real one replaces, so it goes by its name, and is told
// what to do by `push`.
export default {
  kind: "optimizelyWeb",
  wanted: "window.optimizely or missing",
  hooked: "campaignDecided",
  fits: (client) => NAMES.some((name) => client === window[name]),

  // Where the page names this source it is sure to come: the queue may be made for it.
  find(named) {
    if (named && !window.optimizely) window.optimizely = [];
    return NAMES.filter((name) => typeof get(window[name], "push") === "function" && !window[name].nodeType);
  },

  known: (client) => NAMES.find((name) => client === window[name]),

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
  IDS.forEach((name, place) => {
    const id = get(call, name);
    // `null` is how Optimizely says that the visitor did not qualify.
    const wrong = readId(decision, name, [WHO, name, id], !place || (place === 1 && id === undefined), mistakes);
    if (wrong) refuse(decision, "invalid", wrong);
  });
  const [data, campaign, extension, decidedAt, state] = ["decisionData", "campaign", "extension", "decidedAt", "state"].map((name) => get(call, name));
  decision.isHoldback = readHoldback(get(call, "isHoldback"), WHO, mistakes);
  for (const told of [decidedAt, get(data, "timestamp")]) if (isPlausible(moment(told), now)) decision.decidedAt = moment(told);
  if (get(data, "timing") === "postRedirectPolicy") fill(decision, { referrer: get(data, "referrer") });
  fill(decision, {
    project: get(data, "projectId"),
    userId: get(data, "visitorId"),
    campaignName: first(get(campaign, "name"), get(data, "layerName")),
    experimentName: get(data, "experimentName"),
    variationName: get(data, "variationName"),
    eventName: first(get(extension, "eventName"), get(extension, "event_name")),
  });
  refuseUnexposed(decision, get(data, "isLayerConcluded"));
  const policy = get(campaign, "policy");
  // A global named `state` may be anything.
  const own = typeof get(state, "getDecisionObject") === "function";
  complete(decision, typeof policy === "string" ? policy : get(data, "layerPolicy"), own ? state : stateOf(client), client);
  return decision;
}

/** Reads an event `campaignDecided`. It comes in preview too, and on the page *before* a redirect. */
export function readEvent(event, client, now) {
  const decision = make("optimizelyWeb", now);
  const [told, audiences, campaign] = ["decision", "audiences", "campaign"].map((name) => at(event, "data." + name));
  decision.mayRedirect = true;
  fill(decision, Object.fromEntries(IDS.map((name) => [name, get(told, name)])));
  decision.isHoldback = get(told, "isCampaignHoldback") === true;
  readForced(decision, told);
  refuseUnexposed(decision, get(told, "isLayerConcluded"));
  // Personalization campaigns carry several experiments: by id, never the first.
  const experiment = find(get(campaign, "experiments"), decision.experimentId);
  fill(decision, {
    ...audienceOf(audiences),
    campaignName: get(campaign, "name"),
    experimentName: get(experiment, "name"),
    variationName: get(find(get(experiment, "variations"), decision.variationId), "name"),
  });
  complete(decision, get(campaign, "policy"), stateOf(client), client);
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
  const activation = moment(+text(ask(state, "getActivationId")));
  const decision = make("optimizelyWeb", activation > now - DAY && activation <= now ? activation : now);
  fill(decision, edge ? { experimentId: id, experimentName: get(entry, "name") } : { campaignId: id, campaignName: get(entry, "campaignName") });
  decision.isHoldback = get(entry, "isInCampaignHoldback") === true;
  readForced(decision, entry);
  fill(decision, {
    experimentId: at(entry, "experiment.id"),
    experimentName: at(entry, "experiment.name"),
    variationId: at(entry, "variation.id"),
    variationName: at(entry, "variation.name"),
    ...audienceOf(get(entry, "audiences")),
  });
  refuseUnexposed(decision);
  if (edge) fill(decision, { referrer: redirectReferrer(id) });
  complete(decision, edge && "single_experiment", state, client);
  return decision;
}

// Kind, names, audiences, project, visitor and referrer, from the tool's decision object, its state and
// its data, in this order.
function complete(decision, policy, state, client) {
  if (decision.refused) return;
  const { campaignId, experimentId, variationId } = decision;
  // It throws for some campaigns, and right after a redirect it answers with the redirect's decision
  // for campaigns it does not know. So ids are compared throughout.
  const object = ask(state, "getDecisionObject", { campaignId });
  for (const name of IDS) {
    const field = name.slice(0, -2);
    const told = get(object, field);
    const id = decision[name] || "";
    const flat = typeof told === "string" && told.endsWith("(" + id + ")") && told.slice(0, -id.length - 2).replace(/ $/, "");
    fill(decision, { [field + "Name"]: flat || (text(get(told, "id")) === id && get(told, "name")) });
  }
  const known = campaignId && get(ask(state, "getCampaignStates", { id: campaignId }), campaignId);
  if (text(at(known, "experiment.id")) === experimentId) {
    fill(decision, {
      campaignName: get(known, "campaignName"),
      experimentName: at(known, "experiment.name"),
      variationName: text(at(known, "variation.id")) === variationId && at(known, "variation.name"),
      ...audienceOf(get(known, "audiences")),
    });
  }
  // The referrer in front of a redirect goes to the experiment that redirected, and to no other.
  const redirect = ask(state, "getRedirectInfo");
  if (text(get(redirect, "experimentId")) === experimentId) fill(decision, { referrer: get(redirect, "referrer") });
  const data = ask(client, "get", "data");
  const campaign = get(get(data, "campaigns"), campaignId);
  fill(decision, {
    campaignName: get(campaign, "name"),
    experimentName: get(get(get(data, "experiments"), experimentId), "name"),
    variationName: get(get(get(data, "variations"), variationId), "name"),
    project: get(data, "projectId"),
    userId: visitor(client),
  });
  // An A/B test or a personalization? It matters for the holdback: outside the experiment for the one,
  // the control group for the other. Where no policy is told, the decision object betrays it: `null` for
  // an A/B holdback, a `holdback` field for a personalization. Where nothing tells, a holdback is sent,
  // marked: a marked event can be filtered, a dropped one cannot be recovered.
  const kind = (typeof policy === "string" && policy) || get(campaign, "policy") || "";
  if (kind ? !/^(single_experiment|multivariate)$/.test(kind) : object !== null && (get(object, "holdback") !== undefined || decision.isHoldback)) {
    decision.personalization = true;
  }
}

/** Optimizely's id of the visitor; empty when it is not known. */
export const visitor = (client) =>
  first(get(ask(client, "get", "visitor_id"), "randomId"), get(ask(client, "get", "visitor"), "visitorId"), cookie("optimizelyEndUserId")) || "";

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

// Optimizely reports visitors who did not qualify too, and decisions of concluded campaigns.
function refuseUnexposed(decision, concluded) {
  if (concluded === true) refuse(decision, "not-an-exposure", "the campaign is concluded");
  if (!experimentOf(decision) || !variationOf(decision)) refuse(decision, "not-an-exposure", "no variation: the visitor did not qualify");
}

function readForced(decision, told) {
  if (get(told, "reason") === "force") decision.forced = "reason: force";
}

const stateOf = (client) => ask(client, "get", "state");
const find = (list, id) => isList(list) && id && list.find((item) => text(get(item, "id")) === id);

function audienceOf(list) {
  const all = isList(list) ? list : [];
  const texts = (name, divider) => all.map((item) => text(get(item, name))).join(divider);
  return { audienceId: texts("id", ","), audienceName: texts("name", ", ") };
}
