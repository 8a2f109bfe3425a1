//! The gate: facts in, verdict out.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{Decided, by_event, held_back, optimizely, options, with};
use decision_bridge::gate::{Consent, Decision, Hold, Judgment, Reason, Verdict, judge};
use serde_json::{Value, json};

#[derive(Default)]
struct Case {
    decided: Option<Decided>,
    flags: u32,
    consent: Consent,
    options: Option<Value>,
    is_known: bool,
}

/// A plain decision on a plain page.
fn plain() -> Case {
    Case::default()
}

impl Case {
    fn of(self, decided: Decided) -> Case {
        Case { decided: Some(decided), ..self }
    }

    fn with_options(self, options: Value) -> Case {
        Case { options: Some(options), ..self }
    }

    fn known(self) -> Case {
        Case { is_known: true, ..self }
    }

    fn in_preview(self) -> Case {
        Case { flags: self.flags | Decision::PREVIEW, ..self }
    }

    fn in_qa(self) -> Case {
        Case { flags: self.flags | Decision::QA, ..self }
    }

    fn redirecting(self) -> Case {
        Case { flags: self.flags | Decision::LEAVING, ..self }
    }

    fn consent(self, consent: Consent) -> Case {
        Case { consent, ..self }
    }

    fn judged(&self) -> Judgment {
        let (options, ..) = options(self.options.clone().unwrap_or(json!({})));
        let decided = self.decided.clone().unwrap_or_else(|| optimizely("e1", "v1"));
        judge(&with(decided, self.flags).told(), self.consent, &options, self.is_known)
    }

    #[track_caller]
    fn is_delivered(&self) {
        assert_eq!(self.judged(), Judgment::Deliver);
    }

    #[track_caller]
    fn is_held(&self, why: Hold) {
        assert_eq!(self.judged(), Judgment::Hold(why));
    }

    #[track_caller]
    fn is_dropped(&self, verdict: Verdict) {
        let reason = match verdict {
            Verdict::Duplicate => Reason::Known,
            Verdict::NoConsent => Reason::Refused,
            _ => Reason::Own,
        };
        assert_eq!(self.judged(), Judgment::Drop(verdict, reason));
    }
}

fn experiment() -> Decided {
    held_back(optimizely("e1", "v1"))
}

fn personalization() -> Decided {
    with(experiment(), Decision::PERSONALIZATION)
}

fn refused(verdict: Verdict) -> Decided {
    with(experiment(), verdict as u32 + 1)
}

#[test]
fn a_plain_decision_is_delivered() {
    plain().is_delivered();
}

#[test]
fn what_the_source_refused_is_dropped_with_its_verdict_before_anything_else_is_asked() {
    for verdict in Verdict::ALL {
        let case = plain().of(refused(verdict)).in_preview().in_qa().known().consent(Consent::Denied);
        assert_eq!(case.judged(), Judgment::Drop(verdict, Reason::Own));
    }
}

#[test]
fn verdicts_are_known_by_their_numbers() {
    for (number, verdict) in Verdict::ALL.into_iter().enumerate() {
        assert_eq!(verdict as usize, number);
    }
    for no_verdict in 10..16 {
        plain().of(with(optimizely("e1", "v1"), no_verdict)).is_delivered();
    }
}

#[test]
fn holdback_of_an_ab_test_is_no_exposure_and_of_a_personalization_it_is() {
    plain().of(experiment()).is_dropped(Verdict::Holdback);
    plain().of(personalization()).is_delivered();
    let auto = || plain().with_options(json!({"holdback": "auto"}));
    auto().of(experiment()).is_dropped(Verdict::Holdback);
    auto().of(personalization()).is_delivered();
}

#[test]
fn the_option_holdback_overrules_the_kind() {
    plain().of(experiment()).with_options(json!({"holdback": "send"})).is_delivered();
    let drop = || plain().with_options(json!({"holdback": "drop"}));
    drop().of(personalization()).is_dropped(Verdict::Holdback);
    drop().is_delivered();
}

#[test]
fn holdback_comes_before_preview_and_preview_before_qa() {
    plain().of(experiment()).in_preview().is_dropped(Verdict::Holdback);
    let drop = plain().in_preview().in_qa().with_options(json!({"qa": "drop"}));
    drop.is_dropped(Verdict::Preview);
}

#[test]
fn preview_is_dropped_and_the_option_preview_marks_or_sends() {
    plain().in_preview().is_dropped(Verdict::Preview);
    plain().in_preview().with_options(json!({"preview": "drop"})).is_dropped(Verdict::Preview);
    plain().in_preview().with_options(json!({"preview": "mark"})).is_delivered();
    plain().in_preview().with_options(json!({"preview": "send"})).is_delivered();
    plain().with_options(json!({"preview": "drop"})).is_delivered();
}

#[test]
fn qa_is_marked_and_the_option_qa_drops_or_sends() {
    plain().in_qa().is_delivered();
    plain().in_qa().with_options(json!({"qa": "mark"})).is_delivered();
    plain().in_qa().with_options(json!({"qa": "send"})).is_delivered();
    plain().in_qa().with_options(json!({"qa": "drop"})).is_dropped(Verdict::Qa);
    plain().with_options(json!({"qa": "drop"})).is_delivered();
}

#[test]
fn a_preview_stays_a_preview_in_qa() {
    plain().in_qa().in_preview().is_dropped(Verdict::Preview);
    plain().in_qa().in_preview().with_options(json!({"preview": "mark"})).is_delivered();
}

#[test]
fn what_is_known_already_is_a_duplicate_whether_or_not_consent_was_given() {
    for consent in [Consent::Granted, Consent::Unknown, Consent::Denied] {
        plain().known().consent(consent).is_dropped(Verdict::Duplicate);
    }
}

#[test]
fn preview_and_qa_come_before_duplicate() {
    plain().known().in_preview().is_dropped(Verdict::Preview);
    plain().known().in_qa().with_options(json!({"qa": "drop"})).is_dropped(Verdict::Qa);
}

#[test]
fn without_consent_a_decision_is_held_or_dropped() {
    plain().consent(Consent::Unknown).is_held(Hold::Consent);
    plain().consent(Consent::Denied).is_dropped(Verdict::NoConsent);
}

#[test]
fn a_decision_that_is_about_to_redirect_is_held_and_no_other() {
    plain().redirecting().of(by_event(optimizely("e1", "v1"))).is_held(Hold::Redirect);
    plain().redirecting().is_delivered();
    plain().of(by_event(optimizely("e1", "v1"))).is_delivered();
}

#[test]
fn consent_is_asked_for_before_a_redirect_matters() {
    let redirecting = || plain().redirecting().of(by_event(optimizely("e1", "v1")));
    redirecting().consent(Consent::Unknown).is_held(Hold::Consent);
    redirecting().consent(Consent::Denied).is_dropped(Verdict::NoConsent);
}

#[test]
fn a_decision_in_qa_is_held_for_consent_like_any_other() {
    plain().in_qa().consent(Consent::Unknown).is_held(Hold::Consent);
}
