//! The destinations: analytics tools that are told of exposures. A new one is a file below and a
//! line in [`Destination`].

use crate::decision::Decision;
use crate::gate::Marks;
use crate::options::{Case, Options};
use crate::source::Source;
use crate::value::{Fields, Value, iso, put, put_text};

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

    /// Destinations that the contract names and this version does not have yet.
    pub const PLANNED: [&str; 6] = ["amplitude", "rudderstack", "mixpanel", "posthog", "ga4", "gtm"];

    /// The name in options and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Destination::Segment => "segment",
        }
    }
}

/// How a destination is found on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not there.
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

/// An exposure event, before a tool spells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its properties.
    pub properties: Fields,
}

/// How the decisions of a source are spelled by default.
struct Spelling {
    event: &'static str,
    case: Case,
    fields: &'static [Field],
}

/// The fields of an exposure.
#[derive(Clone, Copy)]
enum Field {
    ExperimentId,
    ExperimentName,
    VariationId,
    VariationName,
    CampaignId,
    CampaignName,
    IsHoldback,
    /// Only when it is one.
    HoldbackIfSo,
    Audience,
    AssignedAt,
    Referrer,
}

/// The one table of how each source's decision is spelled.
fn spelling(source: Source) -> Spelling {
    use Field::{
        AssignedAt, Audience, CampaignId, CampaignName, ExperimentId, ExperimentName, HoldbackIfSo,
        IsHoldback, Referrer, VariationId, VariationName,
    };
    match source {
        Source::OptimizelyWeb => Spelling {
            event: "Experiment Viewed",
            case: Case::Camel,
            fields: &[
                ExperimentId,
                ExperimentName,
                VariationId,
                VariationName,
                CampaignId,
                CampaignName,
                IsHoldback,
                Audience,
                Referrer,
            ],
        },
        Source::Direct => Spelling {
            event: "Experiment Viewed",
            case: Case::Camel,
            fields: &[
                ExperimentId,
                VariationId,
                ExperimentName,
                VariationName,
                CampaignId,
                CampaignName,
                HoldbackIfSo,
                AssignedAt,
            ],
        },
    }
}

/// The exposure event of a decision. Static properties come first, the decision's own win over
/// them, and what the contract names wins over both.
pub fn event(decision: &Decision, marks: Marks, options: &Options) -> Event {
    let spelling = spelling(decision.source);
    let case = options.property_case.unwrap_or(spelling.case);
    let mut properties = options.properties.clone();
    for (name, value) in &decision.properties {
        put(&mut properties, name, value.clone());
    }
    let mut own = Fields::new();
    for field in spelling.fields {
        field.add(decision, &mut own);
    }
    for (name, marked) in [("isQa", marks.qa), ("isPreview", marks.preview)] {
        if marked {
            put(&mut own, name, Value::Bool(true));
        }
    }
    for (name, value) in own {
        put(&mut properties, &cased(&name, case), value);
    }
    let name = decision.event_name.as_ref().or(options.event_name.as_ref());
    Event { name: name.map_or_else(|| spelling.event.to_owned(), Clone::clone), properties }
}

impl Field {
    fn add(self, decision: &Decision, fields: &mut Fields) {
        let (campaign, experiment, variation) =
            (&decision.campaign, &decision.experiment, &decision.variation);
        match self {
            Field::ExperimentId => put_text(fields, "experimentId", experiment.identity()),
            Field::ExperimentName => put_text(fields, "experimentName", experiment.shown()),
            Field::VariationId => put_text(fields, "variationId", variation.identity()),
            Field::VariationName => put_text(fields, "variationName", variation.shown()),
            Field::CampaignId => put_text(fields, "campaignId", campaign.identity()),
            Field::CampaignName => put_text(fields, "campaignName", campaign.shown()),
            Field::IsHoldback => put(fields, "isHoldback", Value::Bool(decision.holdback)),
            Field::HoldbackIfSo => {
                if decision.holdback {
                    put(fields, "isHoldback", Value::Bool(true));
                }
            }
            Field::Audience => {
                let join = |part: fn(&crate::decision::Named) -> &str, separator: &str| {
                    let parts: Vec<&str> = decision.audiences.iter().map(part).collect();
                    parts.join(separator)
                };
                put_text(fields, "audienceId", &join(|it| it.identity(), ","));
                put_text(fields, "audienceName", &join(|it| it.shown(), ", "));
            }
            Field::AssignedAt => put_text(fields, "assignedAt", &iso(decision.decided_at)),
            Field::Referrer => put_text(fields, "referrer", &decision.referrer),
        }
    }
}

/// A camelCase name in the wanted case.
fn cased(name: &str, case: Case) -> String {
    match case {
        Case::Camel => name.to_owned(),
        Case::Snake => name
            .chars()
            .flat_map(|c| {
                let underscore = c.is_ascii_uppercase().then_some('_');
                underscore.into_iter().chain([c.to_ascii_lowercase()])
            })
            .collect(),
    }
}
