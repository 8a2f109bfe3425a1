//! The gate: facts in, verdict out.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{by_event, held_back, optimizely, options, with};
use decision_bridge::decision::{Decision, Kind, Text, Verdict};
use decision_bridge::gate::{Consent, Facts, Hold, Judgment, Marks, judge};
use serde_json::{Value, json};

const HELD_BACK: &str = "the visitor is held back, and not in the experiment";
const REDIRECT: &str = r#"{"r":"https://from.test/","x":"e1","v":"v1"}"#;

#[derive(Default)]
struct Case {
    decision: Option<Decision>,
    facts: Facts,
    options: Option<Value>,
    is_known: bool,
}

/// A plain decision on a plain page.
fn plain() -> Case {
    Case::default()
}

impl Case {
    fn of(self, decision: Decision) -> Case {
        Case { decision: Some(decision), ..self }
    }

    fn with_options(self, options: Value) -> Case {
        Case { options: Some(options), ..self }
    }

    fn known(self) -> Case {
        Case { is_known: true, ..self }
    }

    fn knowing(mut self, change: impl FnOnce(&mut Facts)) -> Case {
        change(&mut self.facts);
        self
    }

    fn in_preview(self) -> Case {
        self.knowing(|facts| facts.preview = "optimizely_x (query)".into())
    }

    fn in_qa(self) -> Case {
        self.knowing(|facts| facts.qa = "team (cookie)".into())
    }

    fn asking_to_track(self) -> Case {
        self.knowing(|facts| facts.qa = "optimizely_force_tracking (query)".into())
    }

    fn consent(self, consent: Consent) -> Case {
        self.knowing(|facts| facts.consent = consent)
    }

    fn judged(&self) -> Judgment {
        let options = options(self.options.clone().unwrap_or(json!({})));
        let decision = self.decision.clone().unwrap_or_else(|| optimizely("e1", "v1"));
        judge(&decision, &self.facts, &options, self.is_known)
    }

    #[track_caller]
    fn is_delivered(&self) {
        self.is_delivered_with(Marks::default());
    }

    #[track_caller]
    fn is_delivered_with(&self, marks: Marks) {
        assert_eq!(self.judged(), Judgment::Deliver(marks));
    }

    #[track_caller]
    fn is_held(&self, why: Hold) {
        assert_eq!(self.judged(), Judgment::Hold(why, Marks::default()));
    }

    #[track_caller]
    fn is_dropped(&self, verdict: Verdict, why: &str) {
        assert_eq!(self.judged(), Judgment::Drop(verdict, why.to_owned()));
    }
}

fn forced() -> Decision {
    with(optimizely("e1", "v1"), Text::Forced, "reason: force")
}

fn held_back_from(kind: Kind) -> Decision {
    let mut decision = held_back(optimizely("e1", "v1"));
    decision.kind = kind;
    decision
}

fn refused() -> Decision {
    let mut decision = held_back_from(Kind::Experiment);
    decision.refuse(Verdict::NotAnExposure, "no variation");
    decision
}

const QA: Marks = Marks { qa: true, preview: false };
const PREVIEW: Marks = Marks { qa: false, preview: true };

#[test]
fn a_plain_decision_is_delivered() {
    plain().is_delivered();
}

#[test]
fn what_the_source_refused_is_dropped_with_its_reason_before_anything_else_is_asked() {
    plain()
        .of(refused())
        .in_preview()
        .known()
        .consent(Consent::Denied)
        .is_dropped(Verdict::NotAnExposure, "no variation");
}

#[test]
fn holdback_of_an_ab_test_is_no_exposure_and_of_a_personalization_it_is() {
    plain().of(held_back_from(Kind::Experiment)).is_dropped(Verdict::Holdback, HELD_BACK);
    plain().of(held_back_from(Kind::Personalization)).is_delivered();
    let auto = || plain().with_options(json!({"holdback": "auto"}));
    auto().of(held_back_from(Kind::Experiment)).is_dropped(Verdict::Holdback, HELD_BACK);
    auto().of(held_back_from(Kind::Personalization)).is_delivered();
}

#[test]
fn the_option_holdback_overrules_the_kind() {
    plain().of(held_back_from(Kind::Experiment)).with_options(json!({"holdback": "send"})).is_delivered();
    let drop = || plain().with_options(json!({"holdback": "drop"}));
    drop().of(held_back_from(Kind::Personalization)).is_dropped(Verdict::Holdback, HELD_BACK);
    drop().is_delivered();
}

#[test]
fn preview_is_dropped_and_the_signal_is_named() {
    plain().in_preview().is_dropped(Verdict::Preview, "optimizely_x (query)");
    plain().of(forced()).is_dropped(Verdict::Preview, "reason: force");
    plain().in_preview().of(forced()).is_dropped(Verdict::Preview, "reason: force");
}

#[test]
fn the_option_preview_marks_or_sends() {
    plain().in_preview().with_options(json!({"preview": "mark"})).is_delivered_with(PREVIEW);
    plain().in_preview().with_options(json!({"preview": "send"})).is_delivered();
    plain().of(forced()).with_options(json!({"preview": "mark"})).is_delivered_with(PREVIEW);
}

#[test]
fn qa_is_marked_and_the_option_qa_drops_or_sends() {
    plain().in_qa().is_delivered_with(QA);
    plain().in_qa().with_options(json!({"qa": "mark"})).is_delivered_with(QA);
    plain().in_qa().with_options(json!({"qa": "send"})).is_delivered();
    plain().in_qa().with_options(json!({"qa": "drop"})).is_dropped(Verdict::Qa, "team (cookie)");
}

#[test]
fn a_preview_stays_a_preview_in_qa_but_for_who_asks_optimizely_to_track() {
    plain().in_qa().of(forced()).is_dropped(Verdict::Preview, "reason: force");
    plain().asking_to_track().of(forced()).is_delivered_with(QA);
    plain().in_qa().in_preview().is_dropped(Verdict::Preview, "optimizely_x (query)");
    let marked = plain().in_qa().in_preview().with_options(json!({"preview": "mark"}));
    marked.is_delivered_with(Marks { qa: true, preview: true });
}

#[test]
fn what_is_known_already_is_a_duplicate_whether_or_not_consent_was_given() {
    let why = "the same decision was handed over, or waits, already";
    for consent in [Consent::Granted, Consent::Unknown, Consent::Denied] {
        plain().known().consent(consent).is_dropped(Verdict::Duplicate, why);
    }
}

#[test]
fn preview_comes_before_duplicate() {
    plain().known().in_preview().is_dropped(Verdict::Preview, "optimizely_x (query)");
}

#[test]
fn without_consent_a_decision_is_held_or_dropped() {
    plain().consent(Consent::Unknown).is_held(Hold::Consent);
    plain().consent(Consent::Denied).is_dropped(Verdict::NoConsent, "consent was refused");
}

#[test]
fn a_decision_that_is_about_to_redirect_is_held_and_no_other() {
    let leaving = |case: Case| case.knowing(|facts| facts.redirect = REDIRECT.into());
    leaving(plain().of(by_event(optimizely("e1", "v1")))).is_held(Hold::Redirect);
    leaving(plain()).is_delivered();
    leaving(plain().of(by_event(optimizely("e2", "v1")))).is_delivered();
    leaving(plain().of(by_event(optimizely("1", "v1")))).is_delivered();
    plain().of(by_event(optimizely("e1", "v1"))).is_delivered();
}

#[test]
fn consent_is_asked_for_before_a_redirect_matters() {
    plain()
        .of(by_event(optimizely("e1", "v1")))
        .knowing(|facts| facts.redirect = REDIRECT.into())
        .consent(Consent::Unknown)
        .is_held(Hold::Consent);
}

#[test]
fn a_held_decision_keeps_its_marks() {
    let case = plain().in_qa().consent(Consent::Unknown);
    assert_eq!(case.judged(), Judgment::Hold(Hold::Consent, QA));
}
