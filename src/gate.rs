//! The gate: may this decision go to this destination? A pure answer to what it is told.

use crate::decision::{Decision, Kind, Refusal, Verdict};
use crate::options::{Options, Treatment};
use crate::source::{Source, optimizely_web};

/// What is known about the page and its visitor right now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// A preview signal, if one was found.
    pub preview: Option<String>,
    /// A QA signal, if one was found.
    pub qa: Option<String>,
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

/// Judges one decision for one destination, to which `last` is the outcome that was last handed
/// over, or waits, for the same dedupe key. The first objection counts.
pub fn judge(decision: &Decision, facts: &Facts, options: &Options, last: Option<&str>) -> Judgment {
    match &decision.refusal {
        Some(Refusal::Invalid(fault)) => return drop(Verdict::Invalid, fault),
        Some(Refusal::NotAnExposure(why)) => return drop(Verdict::NotAnExposure, why),
        None => {}
    }
    if decision.holdback && drops_holdback(decision, options) {
        return drop(Verdict::Holdback, "the visitor is held back, and not in the experiment");
    }
    let mut marks = Marks::default();
    // Asking Optimizely to track in spite of a forced variation makes it QA.
    let forced = decision.forced.as_ref().filter(|_| facts.qa.is_none());
    if let Some(signal) = forced.or(facts.preview.as_ref()) {
        match options.preview {
            Treatment::Drop => return drop(Verdict::Preview, signal),
            Treatment::Mark => marks.preview = true,
            Treatment::Send => {}
        }
    }
    if let Some(signal) = &facts.qa {
        match options.qa {
            Treatment::Drop => return drop(Verdict::Qa, signal),
            Treatment::Mark => marks.qa = true,
            Treatment::Send => {}
        }
    }
    if last == Some(decision.outcome().as_str()) {
        return drop(Verdict::Duplicate, "the same decision was handed over, or waits, already");
    }
    match (facts.consent, is_leaving(decision, facts)) {
        (Consent::Denied, _) => drop(Verdict::NoConsent, "consent was refused"),
        (Consent::Unknown, _) => Judgment::Hold(Hold::Consent, marks),
        (Consent::Granted, true) => Judgment::Hold(Hold::Redirect, marks),
        (Consent::Granted, false) => Judgment::Deliver(marks),
    }
}

/// Whether the decision has to wait for the landing page of its own redirect.
pub fn is_leaving(decision: &Decision, facts: &Facts) -> bool {
    decision.source == Source::OptimizelyWeb
        && decision.may_redirect
        && optimizely_web::is_redirecting(&facts.redirect, &decision.experiment.id)
}

fn drops_holdback(decision: &Decision, options: &Options) -> bool {
    match options.holdback {
        None => decision.kind != Kind::Personalization,
        Some(treatment) => treatment == Treatment::Drop,
    }
}

fn drop(verdict: Verdict, why: &str) -> Judgment {
    Judgment::Drop(verdict, why.to_owned())
}
