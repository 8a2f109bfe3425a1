//! `Decision`: that an experiment tool picked a variation, the only thing that travels here.

use crate::key::Hash;
use crate::source::Source;
use crate::value::{Fields, Value};
use crate::view::{Kind as ValueKind, View};

/// How many characters of a name, key or id are kept.
pub const NAME_LIMIT: usize = 512;

/// What was decided, told in one vocabulary for all tools.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// The tool that decided.
    pub source: Source,
    /// What the page calls the tool, when it told us through `trackDecision`.
    pub label: String,
    /// What kind of decision it is.
    pub kind: Kind,
    /// The experiment tool's project, where it is known.
    pub project: String,
    /// The campaign (Optimizely's layer) the experiment belongs to.
    pub campaign: Named,
    /// The experiment, or flag.
    pub experiment: Named,
    /// The variation, or variant, or group.
    pub variation: Named,
    /// Whether the visitor is in the holdback: not in the experiment for an A/B test, in the
    /// control group for a personalization.
    pub holdback: bool,
    /// Who was decided about: the tool's own visitor or user id. Empty when unknown.
    pub unit: String,
    /// The audiences that let the visitor in.
    pub audiences: Vec<Named>,
    /// When the decision was made, in milliseconds since the epoch.
    pub decided_at: f64,
    /// What shows that the tool was forced to decide so, for instance `reason: force`.
    pub forced: Option<String>,
    /// The referrer in front of a redirect that this very experiment made.
    pub referrer: String,
    /// Whether this decision may be a redirect that has not left the page yet. Such a decision is
    /// reported on the landing page.
    pub may_redirect: bool,
    /// The event name this decision brings along.
    pub event_name: Option<String>,
    /// Properties this decision brings along.
    pub properties: Fields,
    /// Where it was made.
    pub page: Page,
    /// Why the source says that nobody was exposed, when it does.
    pub refusal: Option<Refusal>,
}

/// The page a decision was made on; without query and fragment, which carry tokens and e-mail
/// addresses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The address up to `?` or `#`.
    pub url: String,
    /// The path of the address.
    pub path: String,
    /// The title.
    pub title: String,
}

/// The kinds of decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// An A/B or multivariate test.
    #[default]
    Experiment,
    /// A personalization campaign, whose holdback is its control group.
    Personalization,
    /// A rollout: everybody gets it, nothing is compared.
    Rollout,
    /// A holdout.
    Holdout,
    /// A feature gate.
    Gate,
}

/// Something with an id and perhaps a key and a name; empty where unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named {
    /// The tool's id.
    pub id: String,
    /// The key the site's developers use.
    pub key: String,
    /// The name people read.
    pub name: String,
}

impl Named {
    /// Something of which only the id is known.
    pub fn of(id: &str) -> Named {
        Named { id: cut(id), ..Named::default() }
    }

    /// What tells it from others: the id, else the key.
    pub fn identity(&self) -> &str {
        if self.id.is_empty() { &self.key } else { &self.id }
    }

    /// What people are shown: the name, else the key, else the id.
    pub fn shown(&self) -> &str {
        [&self.name, &self.key].into_iter().find(|text| !text.is_empty()).unwrap_or(&self.id)
    }
}

/// Why a source says that its tool's report is no exposure.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Nobody saw anything: no variation, concluded, a rollout, a fallback.
    NotAnExposure(&'static str),
    /// The report itself is faulty; the text names the field, what came and what was wanted.
    Invalid(String),
}

impl Decision {
    /// The dedupe key: what was decided about whom. Never the experiment alone.
    pub fn key(&self) -> String {
        self.hash_key(Hash::new()).hex()
    }

    /// What was decided: two decisions with the same key and the same outcome are the same.
    pub fn outcome(&self) -> String {
        let hex = self.hash_outcome(Hash::new()).hex();
        hex.get(..16).unwrap_or_default().to_owned()
    }

    /// The idempotency key: the same whenever this decision is told again, different for every
    /// visitor (Segment dedupes across all visitors of a workspace), 35 characters.
    ///
    /// `visitor` stands in where the tool told no unit of its own; `project` is the write key or
    /// host where the tool told no project; `occurrence` counts the changes of variation before
    /// it; `period` is what the dedupe scope calls one period, a session for instance.
    pub fn message_id(&self, project: &str, visitor: &str, occurrence: u32, period: &str) -> String {
        let hash = Hash::new()
            .field("decision-bridge")
            .field(if self.project.is_empty() { project } else { &self.project })
            .field(if self.unit.is_empty() { visitor } else { &self.unit });
        let hash = self.hash_outcome(self.hash_key(hash));
        let hash = hash.field(&crate::value::decimal(u64::from(occurrence))).field(period);
        ["db-", &hash.hex()].concat()
    }

    /// The name of the tool that decided.
    pub fn source_name(&self) -> &str {
        if self.label.is_empty() { self.source.name() } else { &self.label }
    }

    fn hash_key(&self, hash: Hash) -> Hash {
        hash.field(self.source_name())
            .field(self.campaign.identity())
            .field(self.experiment.identity())
            .field(&self.unit)
    }

    fn hash_outcome(&self, hash: Hash) -> Hash {
        hash.field(self.variation.identity()).field(if self.holdback { "holdback" } else { "" })
    }

    /// Takes over what `other`, the same decision told by another entrance, knows more: the
    /// referrer of a redirect, names. Says whether anything was new.
    pub fn enrich(&mut self, other: &Decision) -> bool {
        let mut changed = fill(&mut self.referrer, &other.referrer);
        for (mine, theirs) in [
            (&mut self.campaign, &other.campaign),
            (&mut self.experiment, &other.experiment),
            (&mut self.variation, &other.variation),
        ] {
            if mine.id == theirs.id {
                changed |= fill(&mut mine.name, &theirs.name);
            }
        }
        if self.audiences.is_empty() && !other.audiences.is_empty() {
            self.audiences.clone_from(&other.audiences);
            changed = true;
        }
        changed
    }

    /// This decision as page code sees it in events and in the report.
    pub fn shown(&self) -> Fields {
        use crate::value::put_text;
        let mut fields = Fields::new();
        put_text(&mut fields, "source", self.source_name());
        for (id, key, name, named) in [
            ("campaignId", "campaignKey", "campaignName", &self.campaign),
            ("experimentId", "experimentKey", "experimentName", &self.experiment),
            ("variationId", "variationKey", "variationName", &self.variation),
        ] {
            put_text(&mut fields, id, &named.id);
            put_text(&mut fields, key, &named.key);
            put_text(&mut fields, name, &named.name);
        }
        fields.push(("isHoldback".to_owned(), Value::Bool(self.holdback)));
        put_text(&mut fields, "userId", &self.unit);
        fields.push(("decidedAt".to_owned(), Value::Number(self.decided_at)));
        fields
    }
}

fn fill(mine: &mut String, theirs: &str) -> bool {
    let better = mine.is_empty() && !theirs.is_empty();
    if better {
        theirs.clone_into(mine);
    }
    better
}

/// The text, cut at [`NAME_LIMIT`] characters.
pub fn cut(text: &str) -> String {
    match text.char_indices().nth(NAME_LIMIT) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text.to_owned(),
    }
}

/// What stands where an id is expected.
#[derive(Clone, Debug, PartialEq)]
pub enum Id {
    /// Nothing at all: the field is missing.
    Missing,
    /// `null`: the tool says that there is none.
    Null,
    /// An id.
    Is(String),
    /// A number beyond 2^53, which lost digits before it came to us.
    Blurred(String),
    /// Something that is no id.
    Bad,
}

impl Id {
    /// The numbers up to which every whole number is exact: 2^53.
    const EXACT: f64 = 9_007_199_254_740_992.0;

    /// Reads an id from a string, a number or a BigInt, with no digit lost.
    pub fn read<V: View>(view: Option<&V>) -> Id {
        let Some(view) = view else { return Id::Missing };
        match view.kind() {
            ValueKind::Null => Id::Null,
            ValueKind::Text | ValueKind::BigInt => match view.text() {
                Some(text) if !text.is_empty() => Id::Is(cut(&text)),
                _ => Id::Bad,
            },
            ValueKind::Number => match (view.number(), view.text()) {
                (Some(number), Some(text)) if number.is_finite() => {
                    if number.abs() >= Id::EXACT {
                        Id::Blurred(text)
                    } else {
                        Id::Is(text)
                    }
                }
                _ => Id::Bad,
            },
            ValueKind::Other => Id::Missing,
            _ => Id::Bad,
        }
    }

    /// The text of the id; empty when there is none.
    pub fn text(&self) -> &str {
        match self {
            Id::Is(text) | Id::Blurred(text) => text,
            _ => "",
        }
    }
}

/// How a decision ends. Each ends in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Handed over and confirmed.
    Delivered,
    /// The same as one that was handed over, or waits, within the dedupe scope.
    Duplicate,
    /// Nobody was exposed to anything.
    NotAnExposure,
    /// Held back from an A/B test.
    Holdback,
    /// Made in a tool's preview mode.
    Preview,
    /// Made in the site's own quality assurance.
    Qa,
    /// Consent was refused or withdrawn.
    NoConsent,
    /// Faulty; the report names the field.
    Invalid,
    /// Waited longer than allowed, or for more room than there is.
    Expired,
}

impl Verdict {
    /// All verdicts, in the order of the report.
    pub const ALL: [Verdict; 9] = [
        Verdict::Delivered,
        Verdict::Duplicate,
        Verdict::NotAnExposure,
        Verdict::Holdback,
        Verdict::Preview,
        Verdict::Qa,
        Verdict::NoConsent,
        Verdict::Invalid,
        Verdict::Expired,
    ];

    /// The name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Delivered => "delivered",
            Verdict::Duplicate => "duplicate",
            Verdict::NotAnExposure => "not-an-exposure",
            Verdict::Holdback => "holdback",
            Verdict::Preview => "preview",
            Verdict::Qa => "qa",
            Verdict::NoConsent => "no-consent",
            Verdict::Invalid => "invalid",
            Verdict::Expired => "expired",
        }
    }
}
