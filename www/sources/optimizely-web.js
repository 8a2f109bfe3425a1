// Optimizely Web, and Performance Edge: the analytics callback, the event `campaignDecided` and the
// client's state, all read into the same decision, so that whichever comes second is a duplicate.
import { wall } from "../clock.js";
import { fill, isComplete, isPlausible, make, readHoldback, readId, refuse, take, unexposed } from "../decision.js";
import { ask, at, can, cookie, fault, find, get, isList, isObject, keys, moment, text } from "../read.js";

const NAMES = ["optimizely", "optimizelyEdge"];
const KINDS = ["campaign", "experiment", "variation"];
const WHO = "trackLayerDecision: field";
const DAY = 86400000;

// The client on the page may be a queue that the real one replaces, so it goes by its name, and is told
// what to do by `push`.
export default {
  kind: "optimizelyWeb",
  wanted: "window.optimizely",
  hooked: "campaignDecided",
  fits: (client) => NAMES.find((name) => client === window[name] && can(client, "push") && !client.nodeType),

  // Where the page names this source it is sure to come: the queue may be made for it.
  find(named) {
    if (named) window.optimizely ||= [];
    return NAMES.map((name) => window[name]);
  },

  hook(name, told) {
    const replay = (redirected) => readState(window[name], redirected).forEach(told);
    const listen = (event, handler) => window[name].push({ type: "addListener", filter: { type: "lifecycle", name: event }, handler });
    listen("campaignDecided", (event) => told(readEvent(event, window[name])));
    // The decision that redirected the visitor here is told by no event; Optimizely knows of it once it
    // is initialized. So are, on Performance Edge, all decisions.
    listen("initialized", () => replay(name === NAMES[0]));
    replay();
  },
};

/** Reads the variables of the analytics callback, as `trackLayerDecision` received them. */
export function readCallback(call, client, now, mistakes) {
  const decision = make("optimizelyWeb", now);
  refuse(decision, "invalid", !isObject(call) && fault("trackLayerDecision", "argument 1", call, "an object"));
  KINDS.forEach((kind, place) => {
    const name = kind + "Id";
    const id = get(call, name);
    // `null` is how Optimizely says that the visitor did not qualify.
    refuse(decision, "invalid", readId(decision, name, [WHO, name, id], !place || (place === 1 && id === undefined), mistakes));
  });
  decision.isHoldback = readHoldback(get(call, "isHoldback"), WHO, mistakes);
  const data = get(call, "decisionData");
  for (const told of [get(call, "decidedAt"), get(data, "timestamp")]) if (isPlausible(moment(told), now)) decision.decidedAt = moment(told);
  if (get(data, "timing") === "postRedirectPolicy") take(decision, data, "referrer");
  take(decision, call, "campaignName=campaign.name eventName=extension.eventName eventName=extension.event_name");
  take(decision, data, "project=projectId userId=visitorId campaignName=layerName experimentName variationName");
  return complete(decision, data, at(call, "campaign.policy") || get(data, "layerPolicy"), client, get(call, "state"));
}

/** Reads an event `campaignDecided`. It comes in preview too, and on the page *before* a redirect. */
export function readEvent(event, client) {
  const data = get(event, "data");
  const told = get(data, "decision");
  const decision = make("optimizelyWeb", 0, told, "campaignId experimentId variationId");
  decision.mayRedirect = true;
  decision.isHoldback = get(told, "isCampaignHoldback") === true;
  readAudiences(decision, data);
  take(decision, data, "campaignName=campaign.name");
  // Personalization campaigns carry several experiments: by id, never the first.
  const experiment = find(at(data, "campaign.experiments"), decision.experimentId);
  take(decision, experiment, "experimentName=name");
  take(decision, find(get(experiment, "variations"), decision.variationId), "variationName=name");
  return complete(decision, told, at(data, "campaign.policy"), client);
}

/**
 * Reads what Optimizely's state tells of the decisions that were made before we listened: those of this
 * activation, and the one that redirected the visitor to this page. With `redirected`, only the latter.
 */
export function readState(client, redirected) {
  const now = wall();
  const found = [];
  const state = ask(client, "get", "state");
  // The activation's id is the time of the activation in ms.
  const activation = Math.floor(text(ask(state, "getActivationId")));
  // Performance Edge knows experiments without campaigns: all are active, and a redirect is told in a
  // cookie only. Offer-consistency campaigns are only in the last; the others are in both.
  ["getActiveExperiments", "getCampaignStates", "getCampaignStateLists"].forEach((method, which) => {
    const all = ask(state, method);
    for (const id of keys(all)) {
      const entry = which > 1 ? at(all, id + ".0") : get(all, id);
      const active = (!which || get(entry, "isActive") === true) && !redirected;
      if (found.some(({ campaignId }) => campaignId === id) || !(active || get(entry, "visitorRedirected") === true)) continue;
      const decision = make("optimizelyWeb", activation > now - DAY && activation <= now && activation);
      decision.isHoldback = get(entry, "isInCampaignHoldback") === true;
      fill(decision, which ? "campaignId" : "experimentId", id);
      if (!which) fill(decision, "referrer", redirectReferrer(id));
      take(decision, entry, "campaignName experimentId=experiment.id experimentName=experiment.name experimentName=name variationId=variation.id variationName=variation.name");
      readAudiences(decision, entry);
      found.push(complete(decision, entry, "", client));
    }
  });
  return found;
}

// Whether it was forced, and whether anybody was exposed: Optimizely reports visitors who did not qualify
// too, and decisions of concluded campaigns. Then kind, names, audiences, project, visitor and referrer,
// from the tool's decision object, its state and its data, in this order. A global named `state` may be
// anything.
function complete(decision, told, policy, client, state) {
  if (get(told, "reason") === "force") decision.forced = "reason: force";
  unexposed(decision, get(told, "isLayerConcluded") === true ? "the campaign is concluded" : !isComplete(decision) && "no variation");
  if (decision.refused) return decision;
  if (!can(state, "getDecisionObject")) state = ask(client, "get", "state");
  const { campaignId, experimentId } = decision;
  // It throws for some campaigns, and right after a redirect it answers with the redirect's decision
  // for campaigns it does not know. So ids are compared throughout.
  const object = ask(state, "getDecisionObject", { campaignId });
  const entry = get(ask(state, "getCampaignStates", { id: campaignId }), campaignId);
  const known = find([get(entry, "experiment")], experimentId) && entry;
  const data = ask(client, "get", "data");
  for (const kind of KINDS) {
    const name = kind + "Name";
    const id = decision[kind + "Id"] || "";
    for (const told of [get(object, kind), get(known, kind)]) {
      const [flat, rest] = text(told).split("(" + id + ")");
      fill(decision, name, rest === "" ? flat.trim() : get(find([told], id), "name"));
    }
    take(decision, known, name);
    fill(decision, name, at(data, kind + "s." + id + ".name"));
  }
  readAudiences(decision, known);
  // The referrer in front of a redirect goes to the experiment that redirected, and to no other.
  take(decision, find([ask(state, "getRedirectInfo")], experimentId, "experimentId"), "referrer");
  take(decision, data, "project=projectId");
  fill(decision, "userId", visitor(client));
  // An A/B test or a personalization? It matters for the holdback: outside the experiment for the one,
  // the control group for the other. Where no policy is told, the decision object betrays it: it is
  // `null` for an A/B holdback. Where nothing tells, a holdback is sent, marked: a marked event can be
  // filtered, a dropped one cannot be recovered.
  const kind = text(policy) || text(at(data, "campaigns." + campaignId + ".policy"));
  if (kind ? !/^(single_experiment|multivariate)$/.test(kind) : decision.isHoldback && object !== null) {
    decision.personalization = true;
  }
  return decision;
}

/** Optimizely's id of the visitor; empty when it is not known. */
export const visitor = (client = get(window, "optimizely")) =>
  text(get(ask(client, "get", "visitor_id"), "randomId")) || text(get(ask(client, "get", "visitor"), "visitorId")) || cookie("optimizelyEndUserId");

// The cookie that relays a redirecting decision to the landing page; it lives 5 seconds.
export const redirectCookie = () => cookie("optimizelyRedirectData");

/**
 * Whether Optimizely is about to leave this page for a variation of the experiment: it writes the
 * redirect cookie, navigates, and reports the decision on the landing page.
 */
export const isRedirecting = (experiment, told = redirectCookie()) => experiment && told.split('"').includes(experiment);

/** The referrer in front of the redirect that the experiment made, told before Optimizely's own state does. */
export const redirectReferrer = (experiment, told = redirectCookie()) => (isRedirecting(experiment, told) && /"r" *: *"([^"]*)/.exec(told)?.[1]) || "";

function readAudiences(decision, told) {
  const all = get(told, "audiences");
  const texts = (name, divider) => isList(all) && all.map((item) => text(get(item, name))).join(divider);
  fill(decision, "audienceId", texts("id", ","));
  fill(decision, "audienceName", texts("name", ", "));
}
