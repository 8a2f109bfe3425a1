//! Optimizely Web: its analytics callback, its `campaignDecided` event and its state, all read
//! into the same [`Decision`], so that whichever comes second is a duplicate.

#[cfg(target_arch = "wasm32")]
pub mod attach;

use crate::decision::{Decision, Kind, Named, Refusal, cut};
use crate::source::{Source, holdback, read_id};
use crate::view::{Argument, Kind as ValueKind, View};

/// What stands around a decision: Optimizely's own object and the page's cookies. Both are asked
/// only for what the decision itself does not tell.
pub struct Around<'a, V> {
    /// `window.optimizely`, or `window.optimizelyEdge`.
    pub optimizely: Option<&'a V>,
    /// Reads `document.cookie`.
    pub cookies: &'a dyn Fn() -> String,
    /// Now, in milliseconds since the epoch.
    pub at: f64,
}

impl<V: View> Around<'_, V> {
    /// `optimizely.get(module)`. One published build answers `state` and nothing else, and before
    /// the snippet has run `optimizely` is a plain array.
    pub fn module(&self, module: &str) -> Option<V> {
        self.optimizely?.invoke("get", Argument::Text(module))
    }

    /// Optimizely's visitor id, from wherever this build tells it.
    pub fn visitor(&self) -> String {
        self.module("visitor_id")
            .and_then(|ids| ids.string_at("randomId"))
            .or_else(|| self.module("visitor")?.string_at("visitorId"))
            .unwrap_or_else(|| cookie(&(self.cookies)(), "optimizelyEndUserId"))
    }
}

/// Reads the variables of the analytics callback, as `trackLayerDecision` received them.
pub fn read_callback<V: View>(call: &V, around: &Around<V>, mistakes: &mut Vec<String>) -> Decision {
    const METHOD: &str = "trackLayerDecision";
    let data = call.get("decisionData");
    let data = data.as_ref();
    let campaign_id = read_id(call, "campaignId", METHOD, mistakes);
    let experiment_id = read_id(call, "experimentId", METHOD, mistakes);
    let variation_id = read_id(call, "variationId", METHOD, mistakes);
    let campaign = call.get("campaign");
    let policy = campaign.as_ref().and_then(|campaign| campaign.string_at("policy"));
    let policy = policy.or_else(|| data?.string_at("layerPolicy"));
    let own_state = call.get("state").filter(|state| state.kind() == ValueKind::Object);
    let state = own_state.or_else(|| around.module("state"));

    let mut decision = Decision {
        source: Source::OptimizelyWeb,
        campaign: Named::of(campaign_id.text()),
        experiment: Named::of(experiment_id.text()),
        variation: Named::of(variation_id.text()),
        holdback: holdback(call, "isHoldback", METHOD, mistakes),
        project: text_at(data, "projectId"),
        unit: text_at(data, "visitorId"),
        decided_at: moment_at(data, "timestamp")
            .or_else(|| moment_at(Some(call), "decidedAt"))
            .unwrap_or(around.at),
        ..Decision::default()
    };
    if let Some(extension) = call.get("extension") {
        let name = extension.string_at("eventName").or_else(|| extension.string_at("event_name"));
        decision.event_name = name.map(|name| cut(&name));
    }
    if let Some(campaign) = &campaign {
        name(&mut decision.campaign, campaign.string_at("name"));
    }
    if let Some(data) = data {
        name(&mut decision.campaign, data.string_at("layerName"));
        name(&mut decision.experiment, data.string_at("experimentName"));
        name(&mut decision.variation, data.string_at("variationName"));
    }
    decision.refusal = refusal(
        &[("campaignId", &campaign_id), ("experimentId", &experiment_id), ("variationId", &variation_id)],
        data.and_then(|data| data.get("isLayerConcluded")?.flag()) == Some(true),
        call,
    );
    if decision.refusal.is_none() {
        let object = decision_object(state.as_ref(), &decision);
        decision.kind = kind(&decision, policy, object.as_ref(), around);
        complete(&mut decision, object.as_ref(), state.as_ref(), around);
        let redirected =
            data.and_then(|data| data.string_at("timing")).as_deref() == Some("postRedirectPolicy");
        if redirected {
            decision.referrer = text_at(data, "referrer");
        }
        redirect_referrer(&mut decision, state.as_ref());
    }
    decision
}

/// Reads the `data` of a `campaignDecided` event. This event fires in preview too, and on the
/// page *before* a redirect.
pub fn read_event<V: View>(data: &V, around: &Around<V>) -> Decision {
    let made = data.get("decision");
    let made = made.as_ref();
    let campaign = data.get("campaign");
    let campaign = campaign.as_ref();
    let state = around.module("state");
    let mut decision = Decision {
        source: Source::OptimizelyWeb,
        campaign: Named::of(&id_at(made, "campaignId")),
        experiment: Named::of(&id_at(made, "experimentId")),
        variation: Named::of(&id_at(made, "variationId")),
        holdback: flag_at(made, "isCampaignHoldback"),
        audiences: audiences(data.get("audiences")),
        decided_at: around.at,
        may_redirect: true,
        ..Decision::default()
    };
    decision.forced = forced(made);
    decision.refusal = unexposed(&decision, flag_at(made, "isLayerConcluded"));
    if let Some(campaign) = campaign {
        name(&mut decision.campaign, campaign.string_at("name"));
        // Personalization campaigns carry several experiments: by id, never the first.
        if let Some(experiment) = with_id(campaign.get("experiments"), &decision.experiment.id) {
            name(&mut decision.experiment, experiment.string_at("name"));
            if let Some(variation) = with_id(experiment.get("variations"), &decision.variation.id) {
                name(&mut decision.variation, variation.string_at("name"));
            }
        }
    }
    if decision.refusal.is_none() {
        let policy = campaign.and_then(|campaign| campaign.string_at("policy"));
        let object = decision_object(state.as_ref(), &decision);
        decision.kind = kind(&decision, policy, object.as_ref(), around);
        complete(&mut decision, object.as_ref(), state.as_ref(), around);
        redirect_referrer(&mut decision, state.as_ref());
    }
    decision
}

/// Reads what Optimizely's state tells of the decisions that were made before we listened: those
/// of this activation, and the one that redirected the visitor to this page. With
/// `redirected_only`, only the latter, which no event tells on the landing page.
pub fn read_state<V: View>(around: &Around<V>, redirected_only: bool) -> Vec<Decision> {
    let Some(state) = around.module("state") else {
        return Vec::new();
    };
    if let Some(experiments) = state.invoke("getActiveExperiments", Argument::None) {
        return read_edge(&experiments, around);
    }
    let mut found: Vec<Decision> = Vec::new();
    let lists = state.invoke("getCampaignStateLists", Argument::None);
    for entries in [state.invoke("getCampaignStates", Argument::None), lists].into_iter().flatten() {
        for id in entries.keys() {
            // Offer-consistency campaigns are only in the lists; the others are in both.
            if found.iter().any(|decision| decision.campaign.id == id) {
                continue;
            }
            let Some(entry) = entries.get(&id) else {
                continue;
            };
            let several = entry.items();
            let each = if several.is_empty() { vec![entry] } else { several };
            found.extend(
                each.iter()
                    .filter(|entry| {
                        let redirected = flag_at(Some(*entry), "visitorRedirected");
                        redirected || (!redirected_only && flag_at(Some(*entry), "isActive"))
                    })
                    .map(|entry| read_entry(&id, entry, &state, around)),
            );
        }
    }
    found
}

fn read_entry<V: View>(id: &str, entry: &V, state: &V, around: &Around<V>) -> Decision {
    let mut decision = Decision {
        source: Source::OptimizelyWeb,
        campaign: Named { id: cut(id), name: text_at(Some(entry), "campaignName"), ..Named::default() },
        experiment: entry.get("experiment").map(|it| id_and_name(&it)).unwrap_or_default(),
        variation: entry.get("variation").map(|it| id_and_name(&it)).unwrap_or_default(),
        holdback: flag_at(Some(entry), "isInCampaignHoldback"),
        audiences: audiences(entry.get("audiences")),
        decided_at: activation(state, around),
        forced: forced(Some(entry)),
        ..Decision::default()
    };
    decision.refusal = unexposed(&decision, false);
    if decision.refusal.is_none() {
        let object = decision_object(Some(state), &decision);
        decision.kind = kind(&decision, None, object.as_ref(), around);
        complete(&mut decision, object.as_ref(), Some(state), around);
        redirect_referrer(&mut decision, Some(state));
    }
    decision
}

/// Performance Edge knows experiments without campaigns, and tells of a redirect in a cookie only.
fn read_edge<V: View>(experiments: &V, around: &Around<V>) -> Vec<Decision> {
    let redirect = cookie(&(around.cookies)(), REDIRECT_COOKIE);
    let read = |id: String| {
        let entry = experiments.get(&id)?;
        let mut decision = Decision {
            source: Source::OptimizelyWeb,
            experiment: Named { id: cut(&id), name: text_at(Some(&entry), "name"), ..Named::default() },
            variation: entry.get("variation").map(|it| id_and_name(&it)).unwrap_or_default(),
            unit: around.visitor(),
            decided_at: around.at,
            ..Decision::default()
        };
        decision.refusal = unexposed(&decision, false);
        if json_text(&redirect, "x") == id {
            decision.referrer = json_text(&redirect, "r");
        }
        Some(decision)
    };
    experiments.keys().into_iter().filter_map(read).collect()
}

/// The cookie that relays a redirecting decision to the landing page; it lives 5 seconds.
pub const REDIRECT_COOKIE: &str = "optimizelyRedirectData";

/// Whether Optimizely is about to leave this page for a variation of `experiment`: it writes the
/// redirect cookie, navigates, and reports the decision on the landing page.
pub fn is_redirecting(cookie: &str, experiment: &str) -> bool {
    !experiment.is_empty() && cookie.contains(experiment)
}

fn refusal<V: View>(ids: &[(&str, &crate::decision::Id); 3], concluded: bool, call: &V) -> Option<Refusal> {
    use crate::decision::Id;
    let [_, (_, experiment), (_, variation)] = ids;
    for (field, id) in ids {
        let faulty = match id {
            Id::Bad => true,
            Id::Missing => *field != "variationId",
            Id::Null => *field == "campaignId",
            _ => false,
        };
        if faulty {
            let came = call.get(field).map_or("missing".to_owned(), |came| came.spelled());
            return Some(Refusal::Invalid(
                ["trackLayerDecision: field `", field, "` is ", &came]
                    .into_iter()
                    .chain([", must be a string or a number that is not empty"])
                    .collect(),
            ));
        }
    }
    if concluded {
        return Some(Refusal::NotAnExposure("the campaign is concluded"));
    }
    (experiment.text().is_empty() || variation.text().is_empty())
        .then_some(Refusal::NotAnExposure("the visitor did not qualify: no variation"))
}

fn unexposed(decision: &Decision, concluded: bool) -> Option<Refusal> {
    if concluded {
        return Some(Refusal::NotAnExposure("the campaign is concluded"));
    }
    (decision.experiment.id.is_empty() || decision.variation.id.is_empty())
        .then_some(Refusal::NotAnExposure("the visitor did not qualify: no variation"))
}

/// An A/B test or a personalization? It matters for the holdback: outside the experiment for the
/// one, the control group for the other. Where no policy is told, the decision object betrays it:
/// `null` for an A/B holdback, a `holdback` field for a personalization. Where nothing tells, a
/// holdback is sent, marked: a marked event can be filtered, a dropped one cannot be recovered.
fn kind<V: View>(
    decision: &Decision,
    policy: Option<String>,
    object: Option<&V>,
    around: &Around<V>,
) -> Kind {
    let of = |policy: &str| match policy {
        "single_experiment" | "multivariate" => Kind::Experiment,
        _ => Kind::Personalization,
    };
    if let Some(policy) = policy {
        return of(&policy);
    }
    if let Some(object) = object {
        if object.kind() == ValueKind::Null && decision.holdback {
            return Kind::Experiment;
        }
        if object.get("holdback").is_some() || object.get("campaign").is_some() {
            return Kind::Personalization;
        }
    }
    if !decision.holdback {
        return Kind::Experiment;
    }
    let policy = lookup(around, "campaigns", &decision.campaign.id).and_then(|it| it.string_at("policy"));
    policy.map_or(Kind::Personalization, |policy| of(&policy))
}

/// Names, audiences, project and visitor, from the tool's decision object, its state, its data.
fn complete<V: View>(decision: &mut Decision, object: Option<&V>, state: Option<&V>, around: &Around<V>) {
    if let Some(object) = object {
        for (field, named) in [
            ("campaign", &mut decision.campaign),
            ("experiment", &mut decision.experiment),
            ("variation", &mut decision.variation),
        ] {
            if let Some(told) = object.get(field) {
                let told = match told.string() {
                    Some(text) => flat(&text),
                    None => id_and_name(&told),
                };
                if told.id == named.id {
                    name(named, Some(told.name));
                }
            }
        }
    }
    let states = state
        .and_then(|state| state.invoke("getCampaignStates", Argument::Field("id", &decision.campaign.id)));
    if let Some(entry) = states.and_then(|states| states.get(&decision.campaign.id)) {
        let told = entry.get("experiment").map(|it| id_and_name(&it)).unwrap_or_default();
        if told.id == decision.experiment.id {
            name(&mut decision.campaign, entry.string_at("campaignName"));
            name(&mut decision.experiment, Some(told.name));
            let told = entry.get("variation").map(|it| id_and_name(&it)).unwrap_or_default();
            if told.id == decision.variation.id {
                name(&mut decision.variation, Some(told.name));
            }
            if decision.audiences.is_empty() {
                decision.audiences = audiences(entry.get("audiences"));
            }
        }
    }
    for (map, named) in [
        ("campaigns", &mut decision.campaign),
        ("experiments", &mut decision.experiment),
        ("variations", &mut decision.variation),
    ] {
        if named.name.is_empty() && !named.id.is_empty() {
            name(named, lookup(around, map, &named.id).and_then(|it| it.string_at("name")));
        }
    }
    if decision.project.is_empty() {
        decision.project = text_at(around.module("data").as_ref(), "projectId");
    }
    if decision.unit.is_empty() {
        decision.unit = around.visitor();
    }
}

fn lookup<V: View>(around: &Around<V>, map: &str, id: &str) -> Option<V> {
    around.module("data")?.get(map)?.get(id)
}

/// The decision object, which throws for some campaigns, and right after a redirect answers with
/// the redirect's decision for campaigns it does not know: whoever reads it compares the ids.
fn decision_object<V: View>(state: Option<&V>, decision: &Decision) -> Option<V> {
    state?.invoke("getDecisionObject", Argument::Field("campaignId", &decision.campaign.id))
}

/// The referrer in front of a redirect goes to the experiment that redirected, and to no other.
fn redirect_referrer<V: View>(decision: &mut Decision, state: Option<&V>) {
    if decision.referrer.is_empty()
        && let Some(info) = state.and_then(|state| state.invoke("getRedirectInfo", Argument::None))
        && id_at(Some(&info), "experimentId") == decision.experiment.id
    {
        decision.referrer = text_at(Some(&info), "referrer");
    }
}

/// `"Name (id)"`, as the decision object of today's client spells it.
fn flat(text: &str) -> Named {
    let split = text.strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let (name, id) = split.unwrap_or((text, ""));
    Named { id: id.to_owned(), name: cut(name.strip_suffix(' ').unwrap_or(name)), ..Named::default() }
}

fn id_and_name<V: View>(view: &V) -> Named {
    Named { id: id_at(Some(view), "id"), name: text_at(Some(view), "name"), ..Named::default() }
}

fn audiences<V: View>(list: Option<V>) -> Vec<Named> {
    let items = list.map(|list| list.items()).unwrap_or_default();
    items.iter().map(id_and_name).filter(|audience| !audience.id.is_empty()).collect()
}

fn with_id<V: View>(list: Option<V>, id: &str) -> Option<V> {
    list?.items().into_iter().find(|item| id_at(Some(item), "id") == id)
}

fn forced<V: View>(made: Option<&V>) -> Option<String> {
    (made?.string_at("reason")? == "force").then(|| "reason: force".to_owned())
}

/// The activation's id is the time of the activation in ms.
fn activation<V: View>(state: &V, around: &Around<V>) -> f64 {
    const DAY: f64 = 86_400_000.0;
    state
        .invoke("getActivationId", Argument::None)
        .and_then(|id| id.text()?.parse::<u64>().ok())
        .map(|moment| moment as f64)
        .filter(|moment| (around.at - DAY..=around.at).contains(moment))
        .unwrap_or(around.at)
}

/// A name counts only when it is one: a mask leaves `null`, an old build the empty string.
fn name(named: &mut Named, told: Option<String>) {
    if named.name.is_empty() {
        named.name = told.map(|told| cut(&told)).unwrap_or_default();
    }
}

fn id_at<V: View>(view: Option<&V>, field: &str) -> String {
    let id = view.and_then(|view| view.get(field));
    crate::decision::Id::read(id.as_ref()).text().to_owned()
}

fn text_at<V: View>(view: Option<&V>, field: &str) -> String {
    let text = view.and_then(|view| view.get(field)).filter(|it| it.kind() != ValueKind::Bool);
    text.and_then(|text| text.text()).map(|text| cut(&text)).unwrap_or_default()
}

fn flag_at<V: View>(view: Option<&V>, field: &str) -> bool {
    view.and_then(|view| view.get(field)?.flag()).unwrap_or(false)
}

fn moment_at<V: View>(view: Option<&V>, field: &str) -> Option<f64> {
    view?.get(field)?.moment().filter(|moment| *moment > 0.0)
}

/// The value of a cookie; empty when there is none.
pub fn cookie(cookies: &str, name: &str) -> String {
    crate::signal::pairs(cookies, "; ")
        .find(|(known, _)| *known == name)
        .map(|(_, value)| crate::signal::unescape(value))
        .unwrap_or_default()
}

/// The text of a field in a flat JSON object, whatever it holds beside.
fn json_text(json: &str, field: &str) -> String {
    let start = ["\"", field, "\":"].concat();
    let rest = json.split_once(start.as_str()).map_or("", |(_, rest)| rest).trim_start();
    let value = match rest.strip_prefix('"') {
        Some(rest) => rest.split('"').next(),
        None => rest.split([',', '}']).next(),
    };
    value.unwrap_or_default().replace("\\/", "/")
}
