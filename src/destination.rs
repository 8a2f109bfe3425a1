//! The destinations: analytics tools that are told of exposures. A new one is a file below and a
//! line in [`Destination`].

use crate::decision::{Decision, Text};
use crate::gate::Marks;
use crate::json::Fields;
use crate::options::{Case, Options};
use crate::outbox::Sending;
use crate::parcel::unpack;
use crate::source::{Source, avsb};
use crate::view::{Picked, kind};

pub mod amplitude;
pub mod google;
pub mod mixpanel;
pub mod posthog;
pub mod rudderstack;
pub mod segment;

/// The tools a decision can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Segment's analytics.js, in all its generations, and what speaks its language.
    Segment,
    /// Amplitude's Browser SDK.
    Amplitude,
    /// RudderStack.
    RudderStack,
    /// Mixpanel.
    Mixpanel,
    /// PostHog.
    PostHog,
    /// Google Analytics 4, through gtag.
    Ga4,
    /// The dataLayer of Google Tag Manager.
    Gtm,
}

impl Destination {
    /// All of them, in the order in which they are served.
    pub const ALL: [Destination; 7] = {
        use Destination::*;
        [Segment, Amplitude, RudderStack, Mixpanel, PostHog, Ga4, Gtm]
    };

    /// How many of them `"auto"` means, from the first on. The others have to be named: their queue
    /// is on nearly every page, whether or not anybody wants exposures there.
    pub const AUTO: usize = 5;

    /// The name in options and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Destination::Segment => "segment",
            Destination::Amplitude => "amplitude",
            Destination::RudderStack => "rudderstack",
            Destination::Mixpanel => "mixpanel",
            Destination::PostHog => "posthog",
            Destination::Ga4 => "ga4",
            Destination::Gtm => "gtm",
        }
    }

    /// The destination of this name.
    pub fn named(name: &str) -> Option<Destination> {
        Destination::ALL.into_iter().find(|destination| destination.name() == name)
    }

    /// The paths of all that [`Destination::state`] wants to know of `window`.
    pub fn paths(self) -> &'static str {
        match self {
            Destination::Segment => segment::PATHS,
            Destination::Amplitude => amplitude::PATHS,
            Destination::RudderStack => rudderstack::PATHS,
            Destination::Mixpanel => mixpanel::PATHS,
            Destination::PostHog => posthog::PATHS,
            Destination::Ga4 => google::GA4,
            Destination::Gtm => google::GTM,
        }
    }

    /// In which state it is, as its paths show it. `blocked` says that its script could not be
    /// loaded.
    pub fn state(self, told: &Picked, blocked: bool) -> State {
        match self {
            Destination::Segment => segment::state(told, blocked),
            Destination::Amplitude => amplitude::state(told, blocked),
            Destination::RudderStack => rudderstack::state(told, blocked),
            Destination::Mixpanel | Destination::PostHog => queue(told, blocked),
            Destination::Ga4 | Destination::Gtm => google::state(told),
        }
    }
}

/// How a destination is found on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It is not there.
    #[default]
    Missing,
    /// It queues what it is told, and may never load.
    Stub,
    /// It is loaded.
    Ready {
        /// Whether it tells when it took charge of an event.
        confirms: bool,
    },
    /// It is there and drops what it is told, or it could not be loaded.
    Failed,
}

impl State {
    /// What something that queues is: without its script it queues for ever.
    fn queues(blocked: bool) -> State {
        if blocked { State::Failed } else { State::Stub }
    }

    /// The name in the report.
    pub fn name(self) -> &'static str {
        match self {
            State::Missing => "missing",
            State::Stub => "stub",
            State::Ready { .. } => "ready",
            State::Failed => "failed",
        }
    }
}

/// In which state a tool is that is an array of calls until it has loaded, as its paths show it:
/// whether it can be called, what it is, and whether it has loaded. `blocked` says that its script
/// could not be loaded.
///
/// None of these tools tells when it took charge: that the call of the loaded tool returned has to
/// do.
fn queue(told: &Picked, blocked: bool) -> State {
    match (told.at(0).is(kind::FUNCTION), told.at(1).is(kind::LIST), told.at(2).is_true()) {
        (true, true, _) => State::queues(blocked),
        (true, _, true) => State::Ready { confirms: false },
        _ => State::Missing,
    }
}

/// An exposure event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its properties.
    pub properties: Fields,
    /// What the tool is told beside them: the idempotency key, the time of the decision.
    pub options: Fields,
    /// What becomes known of the user: traits, user properties.
    pub user: Fields,
}

/// The exposure event as its destination spells it. The decision was made at `time` (ISO 8601), and
/// `here` is the address of the page that sends it.
pub fn spell(sending: &Sending, options: &Options, time: &str, here: &str) -> Event {
    let (decision, marks) = (&sending.decision, sending.marks);
    let own = report(sending.destination, options);
    let mut event = written(decision, marks, options, time, own);
    match sending.destination {
        Destination::Segment => {
            event.user = segment::traits(&sending.decision, options);
            event.options = segment::options(sending, options, time, here);
        }
        Destination::Amplitude => {
            // Whoever names the event means this tool's.
            if !options.exposure_event().is_empty() && decision.get(Text::EventName).is_empty() {
                event.name = options.exposure_event().to_owned();
            }
            event.options = amplitude::options(sending);
            event.user = amplitude::user(decision);
        }
        Destination::RudderStack => {
            event.options = rudderstack::options(sending, time, here);
            // The tool makes its own `messageId`, a random one.
            event.properties.text("idempotencyKey", &sending.message_id);
        }
        Destination::Mixpanel => event.options = mixpanel::options(sending),
        Destination::PostHog => event.options = posthog::options(sending, time),
        Destination::Ga4 => event.properties.text("exp_variant_string", &google::variant(decision)),
        Destination::Gtm => {}
    }
    event
}

/// The names of an exposure's fields, each with the texts of which the first that is known is its
/// value.
type Table = &'static [(&'static str, &'static [Text])];

const EXPERIMENT_ID: (&str, &[Text]) = ("experimentId", &[Text::ExperimentId, Text::ExperimentKey]);
const EXPERIMENT_NAME: (&str, &[Text]) =
    ("experimentName", &[Text::ExperimentName, Text::ExperimentKey, Text::ExperimentId]);
const VARIATION_ID: (&str, &[Text]) = ("variationId", &[Text::VariationId, Text::VariationKey]);
const VARIATION_NAME: (&str, &[Text]) =
    ("variationName", &[Text::VariationName, Text::VariationKey, Text::VariationId]);
const CAMPAIGN_ID: (&str, &[Text]) = ("campaignId", &[Text::CampaignId]);
const CAMPAIGN_NAME: (&str, &[Text]) = ("campaignName", &[Text::CampaignName, Text::CampaignId]);

/// The fields of Segment's A/B testing specification, and the flag where there is one.
const TESTING: Table =
    &[EXPERIMENT_ID, EXPERIMENT_NAME, VARIATION_ID, VARIATION_NAME, ("flagKey", &[Text::FlagKey])];
const FLAG: &[Text] = &[Text::FlagKey, Text::ExperimentKey, Text::ExperimentId];
const VARIANT: &[Text] = &[Text::VariationKey, Text::VariationId];

/// The one table of how each source's decision is spelled by default: event name, case, fields.
fn spelling(source: Source) -> (&'static str, Case, Table) {
    match source {
        Source::OptimizelyWeb => (
            "Experiment Viewed",
            Case::Camel,
            &[
                EXPERIMENT_ID,
                EXPERIMENT_NAME,
                VARIATION_ID,
                VARIATION_NAME,
                CAMPAIGN_ID,
                CAMPAIGN_NAME,
                ("audienceId", &[Text::AudienceId]),
                ("audienceName", &[Text::AudienceName]),
                ("referrer", &[Text::Referrer]),
            ],
        ),
        Source::OptimizelyFeature => (
            "Experiment Viewed",
            Case::Snake,
            &[
                ("flagKey", &[Text::FlagKey]),
                ("variationKey", &[Text::VariationKey]),
                ("ruleKey", &[Text::ExperimentKey]),
                ("userId", &[Text::Unit]),
            ],
        ),
        Source::Statsig => (
            "Experiment Viewed",
            Case::Snake,
            &[EXPERIMENT_ID, EXPERIMENT_NAME, VARIATION_ID, VARIATION_NAME],
        ),
        Source::Direct => (
            "Experiment Viewed",
            Case::Camel,
            &[EXPERIMENT_ID, VARIATION_ID, EXPERIMENT_NAME, VARIATION_NAME, CAMPAIGN_ID, CAMPAIGN_NAME],
        ),
        Source::Growthbook | Source::OpenFeature => ("Experiment Viewed", Case::Snake, TESTING),
        Source::Avsb => ("avsb_experiment", Case::Snake, TESTING),
    }
}

/// The rest of the table: what the destinations get that know experiments under names of their own.
/// These names stay whatever `propertyCase` says.
fn report(destination: Destination, options: &Options) -> Option<(&'static str, Table)> {
    match destination {
        Destination::Amplitude if options.exposure_event() == "$exposure" => Some((
            "$exposure",
            &[
                ("flag_key", FLAG),
                ("variant", VARIANT),
                ("experiment_key", &[Text::ExperimentKey, Text::ExperimentId]),
            ],
        )),
        Destination::Mixpanel => Some((
            "$experiment_started",
            &[("Experiment name", EXPERIMENT_NAME.1), ("Variant name", VARIATION_NAME.1)],
        )),
        Destination::PostHog => {
            Some(("$feature_flag_called", &[("$feature_flag", FLAG), ("$feature_flag_response", VARIANT)]))
        }
        Destination::Ga4 => Some(("experience_impression", &[])),
        _ => None,
    }
}

/// The exposure event of a decision as its source spells it, made at `time` (ISO 8601).
pub fn event(decision: &Decision, marks: Marks, options: &Options, time: &str) -> Event {
    written(decision, marks, options, time, None)
}

/// The exposure event of a decision: under names of the destination's `own`, else those of the
/// source. Static properties come first, the decision's own win over them, and what the contract
/// names wins over both.
fn written(
    decision: &Decision,
    marks: Marks,
    options: &Options,
    time: &str,
    own: Option<(&'static str, Table)>,
) -> Event {
    let (name, case, table) = spelling(decision.source);
    let case = options.property_case().unwrap_or(case);
    let (name, table, fixed) = own.map_or((name, table, false), |(name, table)| (name, table, true));
    let mut properties = options.properties();
    unpack(decision.get(Text::Properties), &mut properties);
    for (name, texts) in table {
        let name = cased(name, if fixed { Case::Camel } else { case });
        properties.text(&name, decision.first_of(texts, ""));
    }
    match decision.source {
        _ if fixed => {}
        Source::Direct => properties.text(&cased("assignedAt", case), time),
        Source::Avsb => properties.text(&cased("eventName", case), avsb::VIEWED),
        _ => {}
    }
    let always = decision.source == Source::OptimizelyWeb && !fixed;
    for (name, shown, flag) in [
        ("isHoldback", decision.holdback || always, decision.holdback),
        ("isQa", marks.qa, true),
        ("isPreview", marks.preview, true),
    ] {
        if shown {
            properties.flag(&cased(name, case), flag);
        }
    }
    let own = decision.get(Text::EventName);
    let named = [own, options.event_name(), name].into_iter().find(|name| !name.is_empty());
    Event { name: named.unwrap_or(name).to_owned(), properties, ..Event::default() }
}

/// A camelCase name in the wanted case.
#[inline(never)]
fn cased(name: &str, case: Case) -> String {
    let mut spelled = String::new();
    for letter in name.chars() {
        if case == Case::Snake && letter.is_ascii_uppercase() {
            spelled.push('_');
            spelled.push(letter.to_ascii_lowercase());
        } else {
            spelled.push(letter);
        }
    }
    spelled
}
