//! `Decision`: that an experiment tool picked a variation, the only thing that travels here.

use crate::json::{Fields, decimal, join, whole};
use crate::key::Hash;
use crate::source::Source;
use crate::view::{Told, fault, kind};

/// How many characters of a name, key or id are kept.
pub const NAME_LIMIT: usize = 512;

/// The texts of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// What the page calls the tool, when it told us through `trackDecision`.
    Label,
    /// The experiment tool's project.
    Project,
    /// The campaign (Optimizely's layer) the experiment belongs to.
    CampaignId,
    /// Its name.
    CampaignName,
    /// The experiment's id.
    ExperimentId,
    /// The key the site's developers use for it.
    ExperimentKey,
    /// The name people read.
    ExperimentName,
    /// The id of the variation, variant or group.
    VariationId,
    /// Its key.
    VariationKey,
    /// Its name.
    VariationName,
    /// Who was decided about: the tool's own visitor or user id.
    Unit,
    /// The ids of the audiences that let the visitor in, joined by commas.
    AudienceId,
    /// Their names.
    AudienceName,
    /// The referrer in front of a redirect that this very experiment made.
    Referrer,
    /// The event name this decision brings along.
    EventName,
    /// The properties this decision brings along, packed.
    Properties,
    /// Where it was made; without query and fragment, which carry tokens and e-mail addresses.
    PageUrl,
    /// The path of that.
    PagePath,
    /// The title of that page.
    PageTitle,
    /// What shows that the tool was forced to decide so.
    Forced,
    /// What shows that the tool decided so for the site's own quality assurance.
    Qa,
    /// The key of the feature flag the experiment runs on.
    FlagKey,
    /// Why nobody was exposed, in words.
    Refusal,
}

impl Text {
    /// How many there are.
    pub const COUNT: usize = Text::ALL.len();

    /// All of them, in the order of their numbers.
    pub const ALL: [Text; 23] = {
        use Text::*;
        [
            Label,
            Project,
            CampaignId,
            CampaignName,
            ExperimentId,
            ExperimentKey,
            ExperimentName,
            VariationId,
            VariationKey,
            VariationName,
            Unit,
            AudienceId,
            AudienceName,
            Referrer,
            EventName,
            Properties,
            PageUrl,
            PagePath,
            PageTitle,
            Forced,
            Qa,
            FlagKey,
            Refusal,
        ]
    };
}

/// What was decided, told in one vocabulary for all tools.
///
/// All texts lie behind each other in one string: a decision is made, copied, written down and
/// dropped as one piece, which is a fraction of the code that twenty strings need.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    texts: String,
    spans: [(u32, u32); Text::COUNT],
    /// The tool that decided.
    pub source: Source,
    /// What kind of decision it is.
    pub kind: Kind,
    /// Whether the visitor is in the holdback: not in the experiment for an A/B test, in the
    /// control group for a personalization.
    pub holdback: bool,
    /// Whether this decision may be a redirect that has not left the page yet. Such a decision is
    /// reported on the landing page.
    pub may_redirect: bool,
    /// The verdict of the source itself, when its tool's report is no exposure or faulty.
    pub refused: Option<Verdict>,
    /// When the decision was made, in milliseconds since the epoch.
    pub decided_at: f64,
    /// Whether one of its texts was longer than [`NAME_LIMIT`].
    pub shortened: bool,
}

/// The kinds of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An A/B or multivariate test.
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

impl Kind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Kind; 5] =
        [Kind::Experiment, Kind::Personalization, Kind::Rollout, Kind::Holdout, Kind::Gate];
}

impl Decision {
    /// A decision of which nothing but its source and time is known.
    #[inline(never)]
    pub fn new(source: Source, decided_at: f64) -> Decision {
        Decision {
            texts: String::new(),
            spans: [(0, 0); Text::COUNT],
            source,
            kind: Kind::Experiment,
            holdback: false,
            may_redirect: false,
            refused: None,
            decided_at,
            shortened: false,
        }
    }

    /// One of its texts; empty when unknown.
    #[inline(never)]
    pub fn get(&self, text: Text) -> &str {
        let (start, end) = self.spans.get(text as usize).copied().unwrap_or_default();
        self.texts.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Sets one of its texts, cut at [`NAME_LIMIT`].
    #[inline(never)]
    pub fn set(&mut self, text: Text, value: &str) {
        let start = self.texts.len() as u32;
        let kept = if text == Text::Properties { value } else { cut(value) };
        self.shortened |= kept.len() < value.len();
        self.texts.push_str(kept);
        if let Some(span) = self.spans.get_mut(text as usize) {
            *span = (start, self.texts.len() as u32);
        }
    }

    /// Sets one of its texts unless it is known already. Says whether that was new.
    #[inline(never)]
    pub fn fill(&mut self, text: Text, value: &str) -> bool {
        let new = self.get(text).is_empty() && !value.is_empty();
        if new {
            self.set(text, value);
        }
        new
    }

    /// Fills one of its texts from what was told: a string, a number or a BigInt.
    #[inline(never)]
    pub fn read(&mut self, text: Text, told: Told) {
        if matches!(told.kind, kind::TEXT | kind::NUMBER | kind::BIG_INT) {
            self.fill(text, told.text);
        }
    }

    /// Refuses the decision: nobody was exposed, or the report is faulty. The first reason counts.
    #[inline(never)]
    pub fn refuse(&mut self, verdict: Verdict, why: &str) {
        if self.refused.is_none() {
            self.refused = Some(verdict);
            self.set(Text::Refusal, why);
        }
    }

    /// The name of the tool that decided.
    pub fn source_name(&self) -> &str {
        self.first_of(&[Text::Label], self.source.name())
    }

    /// What tells the experiment from others: its id, else its key.
    pub fn experiment(&self) -> &str {
        self.first_of(&[Text::ExperimentId, Text::ExperimentKey], "")
    }

    /// What tells the variation from others: its id, else its key.
    pub fn variation(&self) -> &str {
        self.first_of(&[Text::VariationId, Text::VariationKey], "")
    }

    /// The first of these texts that is known.
    #[inline(never)]
    pub fn first_of<'a>(&'a self, texts: &[Text], otherwise: &'a str) -> &'a str {
        let mut known = texts.iter().map(|text| self.get(*text)).filter(|text| !text.is_empty());
        known.next().unwrap_or(otherwise)
    }

    /// The dedupe key: what was decided about whom. Never the experiment alone.
    pub fn key(&self) -> String {
        self.hash_key(Hash::new()).hex()
    }

    /// What was decided: two decisions with the same key and the same outcome are the same.
    pub fn outcome(&self) -> String {
        self.hash_outcome(Hash::new()).hex()
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
            .field(self.first_of(&[Text::Project], project))
            .field(self.first_of(&[Text::Unit], visitor));
        let hash = self.hash_outcome(self.hash_key(hash));
        let hash = hash.field(&decimal(f64::from(occurrence))).field(period);
        join(&["db-", &hash.hex()])
    }

    #[inline(never)]
    fn hash_key(&self, hash: Hash) -> Hash {
        // GrowthBook counts an experiment once, whatever feature asked for it.
        let flag = if self.source == Source::Growthbook { Text::CampaignId } else { Text::FlagKey };
        hash.field(self.source_name())
            .field(self.first_of(&[Text::CampaignId, flag], ""))
            .field(self.experiment())
            .field(self.get(Text::Unit))
    }

    #[inline(never)]
    fn hash_outcome(&self, hash: Hash) -> Hash {
        hash.field(self.variation()).field(if self.holdback { "holdback" } else { "" })
    }

    /// Takes over what `other`, the same decision told by another entrance, knows more: the
    /// referrer of a redirect, names. Says whether anything was new.
    pub fn enrich(&mut self, other: &Decision) -> bool {
        const MORE: [Text; 5] = [
            Text::CampaignName,
            Text::ExperimentName,
            Text::VariationName,
            Text::AudienceId,
            Text::AudienceName,
        ];
        let landed = self.land(other.get(Text::Referrer).to_owned());
        MORE.iter().fold(landed, |new, text| self.fill(*text, other.get(*text)) || new)
    }

    /// Makes it the decision of this page, where its redirect landed, coming from `referrer`. Says
    /// whether that was new.
    pub fn land(&mut self, referrer: String) -> bool {
        let landed = self.fill(Text::Referrer, &referrer);
        if landed {
            self.set(Text::PageUrl, "");
        }
        landed
    }

    /// This decision as page code sees it in events and in the report.
    pub fn shown(&self) -> Fields {
        const SHOWN: [(&str, Text); 10] = [
            ("campaignId", Text::CampaignId),
            ("campaignName", Text::CampaignName),
            ("experimentId", Text::ExperimentId),
            ("experimentKey", Text::ExperimentKey),
            ("experimentName", Text::ExperimentName),
            ("variationId", Text::VariationId),
            ("variationKey", Text::VariationKey),
            ("variationName", Text::VariationName),
            ("flagKey", Text::FlagKey),
            ("userId", Text::Unit),
        ];
        let mut fields = Fields::default();
        fields.text("source", self.source_name());
        for (name, text) in SHOWN {
            fields.text(name, self.get(text));
        }
        fields.flag("isHoldback", self.holdback);
        fields.number("decidedAt", self.decided_at);
        fields
    }
}

/// The text, cut at [`NAME_LIMIT`] characters.
pub fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(NAME_LIMIT).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default()
}

/// From here on whole numbers are no longer exact in JavaScript: 2^53.
const BLURRED: f64 = 9_007_199_254_740_992.0;

/// Reads an id from a string, a number or a BigInt, with no digit lost, into one of the texts. A
/// number that had lost digits before it came to us is taken as it came, and reported. The answer is
/// what is wrong with something that is no id at all; with nothing, or `null`, only when one is
/// `needed`.
#[inline(never)]
pub fn read_id(
    decision: &mut Decision,
    text: Text,
    (who, field, told): (&str, &str, Told),
    needed: bool,
    mistakes: &mut Vec<String>,
) -> Option<String> {
    let number = told.text.trim_start_matches('-');
    let good = match told.kind {
        kind::MISSING | kind::NULL => !needed,
        // `NaN` and `Infinity` begin with a letter.
        kind::NUMBER => number.starts_with(|first: char| first.is_ascii_digit()),
        kind::TEXT | kind::BIG_INT => !told.text.is_empty(),
        _ => false,
    };
    if !good {
        return Some(fault(who, field, told, "a string or a number that is not empty"));
    }
    let blurred = || whole(number).is_some_and(|number| number >= BLURRED) || number.contains("e+");
    if told.is(kind::NUMBER) && blurred() {
        mistakes.push(fault(who, field, told, "a string: beyond 2^53 a number loses digits"));
    }
    decision.read(text, told);
    None
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
    /// The names in the report, in the order of the verdicts.
    pub const NAMES: [&str; 9] = [
        "delivered",
        "duplicate",
        "not-an-exposure",
        "holdback",
        "preview",
        "qa",
        "no-consent",
        "invalid",
        "expired",
    ];

    /// The name in the report.
    pub fn name(self) -> &'static str {
        Verdict::NAMES.get(self as usize).copied().unwrap_or_default()
    }
}
