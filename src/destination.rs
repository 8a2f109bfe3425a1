//! The destinations: analytics tools that are told of exposures. A new one is a file below and a
//! line in [`Destination`].

use crate::decision::{Decision, Text};
use crate::gate::Marks;
use crate::json::Fields;
use crate::options::{Case, Options};
use crate::outbox::Sending;
use crate::parcel::unpack;
use crate::source::{Source, avsb};
use crate::view::Picked;

pub mod segment;

/// The tools a decision can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Segment's analytics.js, in all its generations, and what speaks its language.
    Segment,
}

impl Destination {
    /// All of them, in the order in which they are served.
    pub const ALL: [Destination; 1] = [Destination::Segment];

    /// How many of them `"auto"` means, from the first on. The others have to be named: their queue
    /// is on nearly every page, whether or not anybody wants exposures there.
    pub const AUTO: usize = 1;

    /// The name in options and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Destination::Segment => "segment",
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
        }
    }

    /// In which state it is, as its paths show it. `blocked` says that its script could not be
    /// loaded.
    pub fn state(self, told: &Picked, blocked: bool) -> State {
        match self {
            Destination::Segment => segment::state(told, blocked),
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
    let mut event = event(&sending.decision, sending.marks, options, time);
    match sending.destination {
        Destination::Segment => {
            event.user = segment::traits(&sending.decision, options);
            event.options = segment::options(sending, options, time, here);
        }
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

/// The exposure event of a decision, made at `time` (ISO 8601). Static properties come first, the
/// decision's own win over them, and what the contract names wins over both.
pub fn event(decision: &Decision, marks: Marks, options: &Options, time: &str) -> Event {
    let (name, case, table) = spelling(decision.source);
    let case = options.property_case().unwrap_or(case);
    let mut properties = options.properties();
    unpack(decision.get(Text::Properties), &mut properties);
    for (name, texts) in table {
        properties.text(&cased(name, case), decision.first_of(texts, ""));
    }
    match decision.source {
        Source::Direct => properties.text(&cased("assignedAt", case), time),
        Source::Avsb => properties.text(&cased("eventName", case), avsb::VIEWED),
        _ => {}
    }
    for (name, shown, flag) in [
        ("isHoldback", decision.holdback || decision.source == Source::OptimizelyWeb, decision.holdback),
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
