//! Optimizely Web: its analytics callback, its `campaignDecided` event and its state, all read
//! into the same [`Decision`], so that whichever comes second is a duplicate.

use crate::decision::{Decision, Kind, Text, Verdict, read_id};
use crate::json::join;
use crate::signal::cookie;
use crate::source::{Source, is_plausible, read_holdback};
use crate::view::{Told, UNIT, View, kind};

/// What stands around a decision: Optimizely's client and the page's cookies. Both are asked only
/// for what the decision itself does not tell.
pub struct Around<'a, V> {
    /// `window.optimizely`, or `window.optimizelyEdge`.
    pub client: &'a V,
    /// `document.cookie`, decoded.
    pub cookies: &'a str,
    /// Now, in milliseconds since the epoch.
    pub at: f64,
}

impl<V: View> Around<'_, V> {
    fn state(&self) -> V {
        self.client.walk("get!state", "")
    }
}

/// The cookie that relays a redirecting decision to the landing page; it lives 5 seconds.
pub const REDIRECT_COOKIE: &str = "optimizelyRedirectData";

const IDS: [Text; 3] = [Text::CampaignId, Text::ExperimentId, Text::VariationId];
const NAMES: [Text; 3] = [Text::CampaignName, Text::ExperimentName, Text::VariationName];

const CALLBACK: &str = "campaignId experimentId variationId isHoldback state.getDecisionObject \
    decisionData.timestamp% decidedAt% decisionData.isLayerConcluded decisionData.timing \
    campaign.policy decisionData.layerPolicy decisionData.referrer \
    decisionData.projectId decisionData.visitorId campaign.name decisionData.layerName \
    decisionData.experimentName decisionData.variationName extension.eventName extension.event_name";

/// Reads the variables of the analytics callback, as `trackLayerDecision` received them.
pub fn read_callback<V: View>(call: &V, around: &Around<V>, mistakes: &mut Vec<String>) -> Decision {
    const WHO: &str = "trackLayerDecision: field";
    const TEXTS: [Text; 8] = [
        Text::Project,
        Text::Unit,
        Text::CampaignName,
        Text::CampaignName,
        Text::ExperimentName,
        Text::VariationName,
        Text::EventName,
        Text::EventName,
    ];
    let told = call.pick(CALLBACK, "");
    let mut decision = Decision::new(Source::OptimizelyWeb, around.at);
    for (place, (field, text)) in CALLBACK.split(' ').zip(IDS).enumerate() {
        let id = told.at(place);
        // `null` is how Optimizely says that the visitor did not qualify.
        let needed = place == 0 || place == 1 && id.is(kind::MISSING);
        if let Some(fault) = read_id(&mut decision, text, (WHO, field, id), needed, mistakes) {
            decision.refuse(Verdict::Invalid, &fault);
        }
    }
    decision.holdback = read_holdback(told.at(3), WHO, mistakes);
    for place in [6, 5] {
        let moment = told.at(place).moment();
        if is_plausible(moment, around.at) {
            decision.decided_at = moment;
        }
    }
    if told.at(8).string() == "postRedirectPolicy" {
        decision.read(Text::Referrer, told.at(11));
    }
    for (place, text) in TEXTS.into_iter().enumerate() {
        decision.read(text, told.at(12 + place));
    }
    refuse_unexposed(&mut decision, told.at(7).is_true());
    let policy = if told.at(9).is(kind::TEXT) { told.at(9) } else { told.at(10) };
    // A global named `state` may be anything.
    let own = told.at(4).is(kind::FUNCTION);
    let state = if own { call.walk("state", "") } else { around.state() };
    complete(&mut decision, policy.string(), &state, around);
    decision
}

/// Reads an event `campaignDecided`. It comes in preview too, and on the page *before* a redirect.
pub fn read_event<V: View>(event: &V, around: &Around<V>) -> Decision {
    let told = event.pick(
        "data.decision.campaignId data.decision.experimentId data.decision.variationId \
         data.decision.isCampaignHoldback data.decision.isLayerConcluded data.decision.reason \
         data.audiences.*.id data.audiences.**.name data.campaign.name data.campaign.policy",
        "",
    );
    let mut decision = Decision::new(Source::OptimizelyWeb, around.at);
    decision.may_redirect = true;
    for (place, text) in IDS.into_iter().enumerate() {
        decision.read(text, told.at(place));
    }
    decision.holdback = told.at(3).is_true();
    read_forced(&mut decision, told.at(5));
    refuse_unexposed(&mut decision, told.at(4).is_true());
    decision.read(Text::AudienceId, told.at(6));
    decision.read(Text::AudienceName, told.at(7));
    decision.read(Text::CampaignName, told.at(8));
    // Personalization campaigns carry several experiments: by id, never the first.
    let names = event.pick(
        "data.campaign.experiments.?1.name data.campaign.experiments.?1.variations.?2.name",
        &args(&decision, &IDS),
    );
    decision.read(Text::ExperimentName, names.at(0));
    decision.read(Text::VariationName, names.at(1));
    complete(&mut decision, told.at(9).string(), &around.state(), around);
    decision
}

/// Reads what Optimizely's state tells of the decisions that were made before we listened: those
/// of this activation, and the one that redirected the visitor to this page. With
/// `redirected_only`, only the latter, which no event tells on the landing page.
pub fn read_state<V: View>(around: &Around<V>, redirected_only: bool) -> Vec<Decision> {
    let mut found: Vec<Decision> = Vec::new();
    let state = around.state();
    for (method, entry) in [
        ("getActiveExperiments!", "$0"),
        ("getCampaignStates!", "$0"),
        // Offer-consistency campaigns are only here; the others are in both.
        ("getCampaignStateLists!", "$0.0"),
    ] {
        let all = state.walk(method, "");
        for (id, _) in all.pick("*", "").at(0).entries() {
            let known = |decision: &Decision| decision.get(Text::CampaignId) == id;
            if !found.iter().any(known) {
                let edge = method == "getActiveExperiments!";
                let entry = all.walk(entry, id);
                found.extend(read_entry(&entry, id, edge, redirected_only, &state, around));
            }
        }
    }
    found
}

const ENTRY: &str = "isActive visitorRedirected isInCampaignHoldback reason \
    campaignName experiment.id experiment.name variation.id variation.name \
    audiences.*.id audiences.**.name name";

/// Performance Edge (`edge`) knows experiments without campaigns, all of them active, and tells of
/// a redirect in a cookie only.
fn read_entry<V: View>(
    entry: &V,
    id: &str,
    edge: bool,
    redirected_only: bool,
    state: &V,
    around: &Around<V>,
) -> Option<Decision> {
    let told = entry.pick(ENTRY, "");
    let active = (told.at(0).is_true() || edge) && !redirected_only;
    if !active && !told.at(1).is_true() {
        return None;
    }
    let mut decision = Decision::new(Source::OptimizelyWeb, activation(state, around.at));
    let (own_id, own_name) = match edge {
        true => (Text::ExperimentId, Text::ExperimentName),
        false => (Text::CampaignId, Text::CampaignName),
    };
    decision.set(own_id, id);
    decision.read(own_name, told.at(if edge { 11 } else { 4 }));
    decision.holdback = told.at(2).is_true();
    read_forced(&mut decision, told.at(3));
    const TEXTS: [Text; 6] = [
        Text::ExperimentId,
        Text::ExperimentName,
        Text::VariationId,
        Text::VariationName,
        Text::AudienceId,
        Text::AudienceName,
    ];
    for (place, text) in TEXTS.into_iter().enumerate() {
        decision.read(text, told.at(5 + place));
    }
    refuse_unexposed(&mut decision, false);
    if edge {
        let redirect = cookie(around.cookies, REDIRECT_COOKIE);
        decision.fill(Text::Referrer, redirect_referrer(redirect, id));
    }
    complete(&mut decision, if edge { "single_experiment" } else { "" }, state, around);
    Some(decision)
}

/// Whether Optimizely is about to leave this page for a variation of `experiment`: it writes the
/// redirect cookie, navigates, and reports the decision on the landing page.
pub fn is_redirecting(cookie: &str, experiment: &str) -> bool {
    !experiment.is_empty() && cookie.split('"').any(|part| part == experiment)
}

/// The referrer in front of the redirect that `experiment` made, as the redirect cookie tells it on
/// the landing page, before Optimizely's own state does; empty when it made none.
pub fn redirect_referrer<'a>(cookie: &'a str, experiment: &str) -> &'a str {
    if is_redirecting(cookie, experiment) { in_json(cookie, "r") } else { "" }
}

/// The text of a field in the redirect cookie, a flat JSON object of texts.
fn in_json<'a>(json: &'a str, field: &str) -> &'a str {
    let mut parts = json.split('"');
    let found = parts.any(|part| part == field);
    parts.nth(1).filter(|_| found).unwrap_or_default()
}

/// Optimizely reports visitors who did not qualify too, and decisions of concluded campaigns.
fn refuse_unexposed(decision: &mut Decision, concluded: bool) {
    if concluded {
        decision.refuse(Verdict::NotAnExposure, "the campaign is concluded");
    }
    if decision.experiment().is_empty() || decision.variation().is_empty() {
        decision.refuse(Verdict::NotAnExposure, "no variation: the visitor did not qualify");
    }
}

const STATE: &str = "getDecisionObject@campaignId getDecisionObject@campaignId.holdback \
    getDecisionObject@campaignId.campaign getDecisionObject@campaignId.campaign.id \
    getDecisionObject@campaignId.campaign.name getDecisionObject@campaignId.experiment \
    getDecisionObject@campaignId.experiment.id getDecisionObject@campaignId.experiment.name \
    getDecisionObject@campaignId.variation getDecisionObject@campaignId.variation.id \
    getDecisionObject@campaignId.variation.name \
    getCampaignStates@id.$0.experiment.id getCampaignStates@id.$0.variation.id \
    getCampaignStates@id.$0.campaignName getCampaignStates@id.$0.experiment.name \
    getCampaignStates@id.$0.variation.name \
    getCampaignStates@id.$0.audiences.*.id getCampaignStates@id.$0.audiences.**.name \
    getRedirectInfo!.experimentId getRedirectInfo!.referrer";

const DATA: &str = "get!data.campaigns.$0.name get!data.experiments.$1.name get!data.variations.$2.name \
    get!data.projectId get!visitor_id.randomId get!visitor.visitorId get!data.campaigns.$0.policy";

/// Kind, names, audiences, project, visitor and referrer, from the tool's decision object, its
/// state and its data, in this order.
fn complete<V: View>(decision: &mut Decision, policy: &str, state: &V, around: &Around<V>) {
    if decision.refused.is_some() {
        return;
    }
    let told = state.pick(STATE, decision.get(Text::CampaignId));
    // The decision object: it throws for some campaigns, and right after a redirect it answers with
    // the redirect's decision for campaigns it does not know. So ids are compared throughout.
    for (place, (id, name)) in IDS.into_iter().zip(NAMES).enumerate() {
        let place = 2 + 3 * place;
        let flat = told.at(place).string().strip_suffix(&*join(&["(", decision.get(id), ")"]));
        if let Some(flat) = flat {
            decision.fill(name, flat.strip_suffix(' ').unwrap_or(flat));
        } else if told.at(place + 1).text == decision.get(id) {
            decision.read(name, told.at(place + 2));
        }
    }
    if told.at(11).text == decision.get(Text::ExperimentId) {
        decision.read(Text::CampaignName, told.at(13));
        decision.read(Text::ExperimentName, told.at(14));
        if told.at(12).text == decision.get(Text::VariationId) {
            decision.read(Text::VariationName, told.at(15));
        }
        decision.read(Text::AudienceId, told.at(16));
        decision.read(Text::AudienceName, told.at(17));
    }
    // The referrer in front of a redirect goes to the experiment that redirected, and to no other.
    if told.at(18).text == decision.get(Text::ExperimentId) {
        decision.read(Text::Referrer, told.at(19));
    }
    let data = around.client.pick(DATA, &args(decision, &IDS));
    const TEXTS: [Text; 6] = [
        Text::CampaignName,
        Text::ExperimentName,
        Text::VariationName,
        Text::Project,
        Text::Unit,
        Text::Unit,
    ];
    for (place, text) in TEXTS.into_iter().enumerate() {
        decision.read(text, data.at(place));
    }
    decision.fill(Text::Unit, cookie(around.cookies, "optimizelyEndUserId"));
    decision.kind = told_kind(decision.holdback, policy, told.at(0), told.at(1), data.at(6));
}

/// An A/B test or a personalization? It matters for the holdback: outside the experiment for the
/// one, the control group for the other. Where no policy is told, the decision object betrays it:
/// `null` for an A/B holdback, a `holdback` field for a personalization. Where nothing tells, a
/// holdback is sent, marked: a marked event can be filtered, a dropped one cannot be recovered.
fn told_kind(holdback: bool, policy: &str, object: Told, objects: Told, data: Told) -> Kind {
    let policy = if policy.is_empty() { data.string() } else { policy };
    let personalization = match policy {
        "single_experiment" | "multivariate" => false,
        "" if object.is(kind::NULL) => false,
        "" if objects.is(kind::MISSING) => holdback,
        _ => true,
    };
    if personalization { Kind::Personalization } else { Kind::Experiment }
}

/// Some texts of a decision as arguments of a path.
fn args(decision: &Decision, texts: &[Text]) -> String {
    let mut args = String::new();
    for (place, text) in texts.iter().enumerate() {
        if place > 0 {
            args.push(UNIT);
        }
        args += decision.get(*text);
    }
    args
}

fn read_forced(decision: &mut Decision, reason: Told) {
    if reason.string() == "force" {
        decision.set(Text::Forced, "reason: force");
    }
}

/// The activation's id is the time of the activation in ms.
fn activation<V: View>(state: &V, at: f64) -> f64 {
    const DAY: f64 = 86_400_000.0;
    let told = state.pick("getActivationId!", "");
    let moment = crate::json::whole(told.at(0).text).unwrap_or_default();
    if moment > at - DAY && moment <= at { moment } else { at }
}

/// Optimizely's id of the visitor, for the report; empty when it is not known.
pub fn visitor<V: View>(around: &Around<V>) -> String {
    let told = around.client.pick(DATA, "");
    let known = [told.at(4).text, told.at(5).text, cookie(around.cookies, "optimizelyEndUserId")];
    known.into_iter().find(|id| !id.is_empty()).unwrap_or_default().to_owned()
}
