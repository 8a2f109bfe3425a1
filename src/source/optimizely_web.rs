//! Optimizely Web: its analytics callback, its `campaignDecided` event and its state, all read
//! into the same [`Decision`], so that whichever comes second is a duplicate.

#[cfg(target_arch = "wasm32")]
pub mod attach;

use crate::decision::{Decision, Kind, Text, Verdict, read_id};
use crate::signal::cookie;
use crate::source::{Source, read_holdback};
use crate::value::join;
use crate::view::{Argument, Kind as ValueKind, View};

/// What stands around a decision: Optimizely's own object and the page's cookies. Both are asked
/// only for what the decision itself does not tell.
pub struct Around<'a, V> {
    /// `window.optimizely`, or `window.optimizelyEdge`.
    pub optimizely: &'a V,
    /// `document.cookie`, decoded.
    pub cookies: &'a str,
    /// Reads a JSON text.
    pub parse: &'a dyn Fn(&str) -> V,
    /// Now, in milliseconds since the epoch.
    pub at: f64,
}

impl<V: View> Around<'_, V> {
    /// `optimizely.get(module)`. One published build answers `state` and nothing else, and before
    /// the snippet has run `optimizely` is a plain array.
    #[inline(never)]
    pub fn module(&self, module: &str) -> V {
        self.optimizely.invoke("get", Argument::Text(module))
    }

    /// Fills in Optimizely's visitor id, from wherever this build tells it.
    pub fn visitor(&self, decision: &mut Decision) {
        for (module, field) in [("visitor_id", "randomId"), ("visitor", "visitorId")] {
            if decision.get(Text::Unit).is_empty() {
                decision.read(Text::Unit, &self.module(module), field);
            }
        }
        decision.fill(Text::Unit, cookie(self.cookies, "optimizelyEndUserId"));
    }
}

const IDS: [(&str, Text); 3] = [
    ("campaignId", Text::CampaignId),
    ("experimentId", Text::ExperimentId),
    ("variationId", Text::VariationId),
];
/// Field, id and name of what has both, and the map it stands in in Optimizely's data.
const NAMED: [(&str, Text, Text, &str); 3] = [
    ("campaign", Text::CampaignId, Text::CampaignName, "campaigns"),
    ("experiment", Text::ExperimentId, Text::ExperimentName, "experiments"),
    ("variation", Text::VariationId, Text::VariationName, "variations"),
];
/// The cookie that relays a redirecting decision to the landing page; it lives 5 seconds.
pub const REDIRECT_COOKIE: &str = "optimizelyRedirectData";

/// Reads the variables of the analytics callback, as `trackLayerDecision` received them.
pub fn read_callback<V: View>(call: &V, around: &Around<V>, mistakes: &mut Vec<String>) -> Decision {
    const WHO: &str = "trackLayerDecision: field";
    let data = call.get("decisionData");
    let campaign = call.get("campaign");
    let extension = call.get("extension");
    let mut decision = Decision::new(Source::OptimizelyWeb, around.at);
    for (field, text) in IDS {
        let there = read_id(&mut decision, text, (call, WHO, field), mistakes);
        // `null` is how Optimizely says that the visitor did not qualify.
        let needed = text == Text::CampaignId
            || (text == Text::ExperimentId && call.get(field).kind() == ValueKind::Missing);
        if !there && needed {
            let came = call.get(field).spelled();
            let wanted = "a string or a number that is not empty";
            decision.refuse(Verdict::Invalid, &crate::view::fault(WHO, field, &came, wanted));
        }
    }
    decision.holdback = read_holdback(call, WHO, mistakes);
    for (text, from, field) in [
        (Text::Project, &data, "projectId"),
        (Text::Unit, &data, "visitorId"),
        (Text::CampaignName, &campaign, "name"),
        (Text::CampaignName, &data, "layerName"),
        (Text::ExperimentName, &data, "experimentName"),
        (Text::VariationName, &data, "variationName"),
        (Text::EventName, &extension, "eventName"),
        (Text::EventName, &extension, "event_name"),
    ] {
        decision.read(text, from, field);
    }
    for moment in [data.get("timestamp").moment(), call.get("decidedAt").moment()] {
        if moment > 0.0 {
            decision.decided_at = moment;
            break;
        }
    }
    refuse_unexposed(&mut decision, &data);
    let own_state = call.get("state");
    let state = if own_state.is_object() { own_state } else { around.module("state") };
    let policy = campaign.get("policy").string() + &data.get("layerPolicy").string();
    if data.get("timing").string() == "postRedirectPolicy" {
        decision.read(Text::Referrer, &data, "referrer");
    }
    complete(&mut decision, &policy, &state, around);
    decision
}

/// Reads the `data` of a `campaignDecided` event. This event fires in preview too, and on the
/// page *before* a redirect.
pub fn read_event<V: View>(data: &V, around: &Around<V>) -> Decision {
    let made = data.get("decision");
    let campaign = data.get("campaign");
    let mut decision = Decision::new(Source::OptimizelyWeb, around.at);
    decision.may_redirect = true;
    for (field, text) in IDS {
        decision.read(text, &made, field);
    }
    decision.holdback = made.get("isCampaignHoldback").is_true();
    read_forced(&mut decision, &made);
    refuse_unexposed(&mut decision, &made);
    read_audiences(&mut decision, &data.get("audiences"));
    decision.read(Text::CampaignName, &campaign, "name");
    // Personalization campaigns carry several experiments: by id, never the first.
    if let Some(experiment) = with_id(&campaign.get("experiments"), decision.get(Text::ExperimentId)) {
        decision.read(Text::ExperimentName, &experiment, "name");
        if let Some(variation) = with_id(&experiment.get("variations"), decision.get(Text::VariationId)) {
            decision.read(Text::VariationName, &variation, "name");
        }
    }
    complete(&mut decision, &campaign.get("policy").string(), &around.module("state"), around);
    decision
}

/// Reads what Optimizely's state tells of the decisions that were made before we listened: those
/// of this activation, and the one that redirected the visitor to this page. With
/// `redirected_only`, only the latter, which no event tells on the landing page.
pub fn read_state<V: View>(around: &Around<V>, redirected_only: bool) -> Vec<Decision> {
    let state = around.module("state");
    let edge = state.invoke("getActiveExperiments", Argument::None);
    if edge.is_object() {
        return read_edge(&edge, &state, around);
    }
    let mut found: Vec<Decision> = Vec::new();
    for method in ["getCampaignStates", "getCampaignStateLists"] {
        let entries = state.invoke(method, Argument::None);
        for id in entries.keys() {
            // Offer-consistency campaigns are only in the lists; the others are in both.
            if found.iter().any(|decision| decision.get(Text::CampaignId) == id) {
                continue;
            }
            let entry = entries.get(&id);
            let mut each = entry.items();
            if each.is_empty() {
                each.push(entry);
            }
            for entry in each {
                let active = !redirected_only && entry.get("isActive").is_true();
                if active || entry.get("visitorRedirected").is_true() {
                    found.push(read_entry(&id, &entry, &state, around));
                }
            }
        }
    }
    found
}

fn read_entry<V: View>(id: &str, entry: &V, state: &V, around: &Around<V>) -> Decision {
    let mut decision = Decision::new(Source::OptimizelyWeb, activation(state, around.at));
    decision.set(Text::CampaignId, id);
    decision.holdback = entry.get("isInCampaignHoldback").is_true();
    read_state_entry(&mut decision, entry);
    read_forced(&mut decision, entry);
    refuse_unexposed(&mut decision, entry);
    complete(&mut decision, "", state, around);
    decision
}

/// Performance Edge knows experiments without campaigns, and tells of a redirect in a cookie only.
fn read_edge<V: View>(experiments: &V, state: &V, around: &Around<V>) -> Vec<Decision> {
    let redirect = (around.parse)(cookie(around.cookies, REDIRECT_COOKIE));
    let read = |id: String| {
        let entry = experiments.get(&id);
        let mut decision = Decision::new(Source::OptimizelyWeb, around.at);
        decision.set(Text::ExperimentId, &id);
        decision.read(Text::ExperimentName, &entry, "name");
        decision.read(Text::VariationId, &entry.get("variation"), "id");
        decision.read(Text::VariationName, &entry.get("variation"), "name");
        refuse_unexposed(&mut decision, &entry);
        if redirect.get("x").text() == id {
            decision.read(Text::Referrer, &redirect, "r");
        }
        complete(&mut decision, "single_experiment", state, around);
        decision
    };
    experiments.keys().into_iter().map(read).collect()
}

/// Whether Optimizely is about to leave this page for a variation of `experiment`: it writes the
/// redirect cookie, navigates, and reports the decision on the landing page.
pub fn is_redirecting(cookie: &str, experiment: &str) -> bool {
    !experiment.is_empty() && cookie.contains(experiment)
}

/// Optimizely reports visitors who did not qualify too, and decisions of concluded campaigns.
fn refuse_unexposed<V: View>(decision: &mut Decision, told: &V) {
    if told.get("isLayerConcluded").is_true() {
        decision.refuse(Verdict::NotAnExposure, "the campaign is concluded");
    }
    if decision.experiment().is_empty() || decision.variation().is_empty() {
        decision.refuse(Verdict::NotAnExposure, "no variation: the visitor did not qualify");
    }
}

/// Kind, names, audiences, project, visitor and referrer, from the tool's decision object, its
/// state and its data, in this order.
fn complete<V: View>(decision: &mut Decision, policy: &str, state: &V, around: &Around<V>) {
    if decision.refused.is_some() {
        return;
    }
    let campaign = decision.get(Text::CampaignId).to_owned();
    // It throws for some campaigns, and right after a redirect it answers with the redirect's
    // decision for campaigns it does not know: what it says counts only where the ids agree.
    let object = state.invoke("getDecisionObject", Argument::Field("campaignId", &campaign));
    for (field, id, name, _) in NAMED {
        let told = object.get(field);
        let flat = told.string();
        if flat.is_empty() {
            read_named(decision, &told, id, name);
        } else if let Some(told) = flat.strip_suffix(&*join(&["(", decision.get(id), ")"])) {
            decision.fill(name, told.strip_suffix(' ').unwrap_or(told));
        }
    }
    let states = state.invoke("getCampaignStates", Argument::Field("id", &campaign));
    let entry = states.get(&campaign);
    if entry.get("experiment").get("id").text() == decision.get(Text::ExperimentId) {
        read_state_entry(decision, &entry);
    }
    let data = around.module("data");
    for (_, id, name, map) in NAMED {
        let told = data.get(map).get(decision.get(id));
        decision.read(name, &told, "name");
    }
    decision.kind = kind(decision.holdback, policy, &object, &data.get("campaigns").get(&campaign));
    decision.read(Text::Project, &data, "projectId");
    around.visitor(decision);
    // The referrer in front of a redirect goes to the experiment that redirected, and to no other.
    let redirect = state.invoke("getRedirectInfo", Argument::None);
    if redirect.get("experimentId").text() == decision.get(Text::ExperimentId) {
        decision.read(Text::Referrer, &redirect, "referrer");
    }
}

/// An A/B test or a personalization? It matters for the holdback: outside the experiment for the
/// one, the control group for the other. Where no policy is told, the decision object betrays it:
/// `null` for an A/B holdback, a `holdback` field for a personalization. Where nothing tells, a
/// holdback is sent, marked: a marked event can be filtered, a dropped one cannot be recovered.
fn kind<V: View>(holdback: bool, policy: &str, object: &V, campaign: &V) -> Kind {
    let told = campaign.get("policy").string();
    let policy = if policy.is_empty() { &told } else { policy };
    let personalization = match policy {
        // A callback tells the policy twice, in its campaign and in its data.
        _ if policy.contains("single_experiment") || policy.contains("multivariate") => false,
        "" if object.kind() == ValueKind::Null => false,
        "" if object.get("holdback").kind() == ValueKind::Missing => holdback,
        _ => true,
    };
    if personalization { Kind::Personalization } else { Kind::Experiment }
}

/// Names and audiences from an entry of `getCampaignStates()`.
fn read_state_entry<V: View>(decision: &mut Decision, entry: &V) {
    decision.read(Text::CampaignName, entry, "campaignName");
    for (field, id, name, _) in NAMED {
        if field != "campaign" {
            let told = entry.get(field);
            decision.read(id, &told, "id");
            read_named(decision, &told, id, name);
        }
    }
    read_audiences(decision, &entry.get("audiences"));
}

/// The name of `{id, name}`, when the id is the one we know.
fn read_named<V: View>(decision: &mut Decision, told: &V, id: Text, name: Text) {
    if told.get("id").text() == decision.get(id) {
        decision.read(name, told, "name");
    }
}

fn read_audiences<V: View>(decision: &mut Decision, list: &V) {
    if !decision.get(Text::AudienceId).is_empty() {
        return;
    }
    let (mut ids, mut names) = (String::new(), String::new());
    for audience in list.items() {
        let id = audience.get("id").text();
        let name = audience.get("name").text();
        if !id.is_empty() {
            let first = ids.is_empty();
            ids += if first { "" } else { "," };
            names += if first { "" } else { ", " };
            names += if name.is_empty() { &id } else { &name };
            ids += &id;
        }
    }
    decision.fill(Text::AudienceId, &ids);
    decision.fill(Text::AudienceName, &names);
}

fn with_id<V: View>(list: &V, id: &str) -> Option<V> {
    list.items().into_iter().find(|item| item.get("id").text() == id)
}

fn read_forced<V: View>(decision: &mut Decision, made: &V) {
    if made.get("reason").string() == "force" {
        decision.set(Text::Forced, "reason: force");
    }
}

/// The activation's id is the time of the activation in ms.
fn activation<V: View>(state: &V, at: f64) -> f64 {
    const DAY: f64 = 86_400_000.0;
    let id = state.invoke("getActivationId", Argument::None).text();
    let moment = id.parse::<u64>().unwrap_or_default() as f64;
    if moment > at - DAY && moment <= at { moment } else { at }
}
