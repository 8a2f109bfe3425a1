//! The gate: may this decision go to this destination? A pure answer to what it is told.

use crate::decision::{Decision, Kind, Text, Verdict};
use crate::options::{Options, Treatment};
use crate::signal::is_forced_tracking;

/// What is known about the page and its visitor right now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The preview signal that was found, if any.
    pub preview: String,
    /// The QA signal that was found, if any.
    pub qa: String,
    /// Whether we may store and send.
    pub consent: Consent,
    /// What Optimizely's redirect cookie says, while a redirect is in flight.
    pub redirect: String,
    /// Stands for the visitor where a decision does not name its unit.
    pub visitor: String,
    /// The write key or host, where a decision does not name its project.
    pub project: String,
    /// What the dedupe scope calls one period: the id of the session, for instance.
    pub period: String,
}

/// Whether we may store and send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Nobody has to be asked, or the visitor agreed.
    #[default]
    Granted,
    /// Not asked yet: hold everything, store nothing.
    Unknown,
    /// Refused or withdrawn.
    Denied,
}

/// What the gate says.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgment {
    /// It may go, with these marks.
    Deliver(Marks),
    /// Not yet.
    Hold(Hold, Marks),
    /// Never; with the reason in words.
    Drop(Verdict, String),
}

/// How a delivered decision is marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// It was made in QA.
    pub qa: bool,
    /// It was made in preview.
    pub preview: bool,
}

/// Why a decision has to wait, though a destination may be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// For consent.
    Consent,
    /// For the landing page of the redirect that this decision is about to make.
    Redirect,
}

/// Judges one decision for one destination, where `is_known` says that the same was last handed
/// over, or waits, for its dedupe key. The first objection counts.
pub fn judge(decision: &Decision, facts: &Facts, options: &Options, is_known: bool) -> Judgment {
    let drop = |verdict, why: &str| Judgment::Drop(verdict, why.to_owned());
    if let Some(verdict) = decision.refused {
        return drop(verdict, decision.get(Text::Refusal));
    }
    let keeps = decision.kind == Kind::Personalization;
    if decision.holdback && options.drops_holdback().unwrap_or(!keeps) {
        return drop(Verdict::Holdback, "the visitor is held back, and not in the experiment");
    }
    let mut marks = Marks::default();
    // Asking Optimizely to track in spite of a forced variation makes it QA.
    let forced = if is_forced_tracking(&facts.qa) { "" } else { decision.get(Text::Forced) };
    let preview = if forced.is_empty() { &facts.preview } else { forced };
    if !preview.is_empty() {
        match options.preview() {
            Treatment::Drop => return drop(Verdict::Preview, preview),
            treatment => marks.preview = treatment == Treatment::Mark,
        }
    }
    let qa = decision.first_of(&[Text::Qa], &facts.qa);
    if !qa.is_empty() {
        match options.qa() {
            Treatment::Drop => return drop(Verdict::Qa, qa),
            treatment => marks.qa = treatment == Treatment::Mark,
        }
    }
    if is_known {
        return drop(Verdict::Duplicate, "the same decision was handed over, or waits, already");
    }
    match facts.consent {
        Consent::Denied => drop(Verdict::NoConsent, "consent was refused"),
        _ => hold(decision, facts).map_or(Judgment::Deliver(marks), |hold| Judgment::Hold(hold, marks)),
    }
}

/// Why the decision has to wait, if it has to.
pub fn hold(decision: &Decision, facts: &Facts) -> Option<Hold> {
    let leaving = decision.may_redirect && decision.source.is_leaving(&facts.redirect, decision.experiment());
    match facts.consent {
        Consent::Unknown => Some(Hold::Consent),
        _ => leaving.then_some(Hold::Redirect),
    }
}
