//! Signals of preview and QA: what counts, and what only looks like one.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use decision_bridge::options::QaSignal;
use decision_bridge::signal::{SESSION_NAMES, Shown, cookie, is_forced_tracking, preview, qa};

fn query(search: &str) -> Shown<'_> {
    Shown { search, ..Shown::default() }
}

fn cookies(cookies: &str) -> Shown<'_> {
    Shown { cookies, ..Shown::default() }
}

fn session(session: &str) -> Shown<'_> {
    Shown { session, ..Shown::default() }
}

#[track_caller]
fn shows(shown: Shown, signal: &str) {
    assert_eq!(preview(&shown), signal, "in {shown:?}");
}

#[test]
fn optimizely_previews_by_parameter() {
    for name in [
        "optimizely_token",
        "optimizely_x",
        "optimizely_x_audiences",
        "optimizely_preview_layer_ids",
        "optimizely_preview_mode_CAMPAIGN",
        "optimizely_embed_editor",
        "optimizely_p13n",
        "optimizely_editor",
        "optimizely_show_preview",
        "optimizely_project_id",
        "optimizely_experiment_id",
        "optimizely_variation_id",
    ] {
        let signal = format!("{name} (query)");
        shows(query(&format!("{name}=123")), &signal);
        shows(query(&format!("utm_source=x&{name}=true&b=1")), &signal);
        // They stand in ordinary links with these values.
        for value in ["", "=", "=false", "=0"] {
            shows(query(&format!("{name}{value}")), "");
        }
        shows(query(&format!("not_{name}=1&{name}s=1&a={name}")), "");
        shows(cookies(&format!("{name}=1")), "");
    }
}

#[test]
fn optimizely_previews_by_cookie_and_by_the_tabs_storage() {
    shows(cookies("a=1; optimizelyPreview={\"x\":1}"), "optimizelyPreview (cookie)");
    shows(cookies("optimizelyToken=abc"), "optimizelyToken (cookie)");
    shows(
        session("optimizely_embed_editor=true;amp-preview-mode="),
        "optimizely_embed_editor (sessionStorage)",
    );
    shows(cookies("optimizelyPreview=; optimizelyEndUserId=oeu1; optimizelyOptOut=false"), "");
    shows(session("optimizely_embed_editor=false"), "");
    shows(query("optimizelyPreview=1"), "");
}

#[test]
fn the_other_tools_preview_too() {
    for (shown, signal) in [
        (query("_vis_opt_preview_combination=2"), "_vis_opt_preview_combination (query)"),
        (query("_vis_opt_preview_combination"), "_vis_opt_preview_combination (query)"),
        (query("_vis_preview_data=x"), "_vis_preview_data (query)"),
        (cookies("debug_vis_preview_12=1"), "debug_vis_preview_ (cookie)"),
        (query("ab_project=preview"), "ab_project (query)"),
        (query("abtasty_qa_assistant=true"), "abtasty_qa_assistant (query)"),
        (query("abtasty_qa_assistant_token=t"), "abtasty_qa_assistant_token (query)"),
        (query("convert_action=convert_vpreview"), "convert_action (query)"),
        (query("kameleoon-simulation=1"), "kameleoon-simulation (query)"),
        (cookies("kameleoonSimulationParameters=x"), "kameleoonSimulationParameters (cookie)"),
        (query("at_preview_token=t"), "at_preview_token (query)"),
        (cookies("at_qa_mode={}"), "at_qa_mode (cookie)"),
        (query("_wt.mode=staging"), "_wt.mode (query)"),
        (query("PREVIEW=true"), "PREVIEW (query)"),
        (session("amp-preview-mode=true"), "amp-preview-mode (sessionStorage)"),
        (query("avsb_preview_token=t"), "avsb_preview_token (query)"),
    ] {
        shows(shown, signal);
    }
    for ordinary in ["ab_project=1", "convert_action=buy", "_wt.mode=normal", "PREVIEW=1", "preview=true", ""]
    {
        shows(query(ordinary), "");
    }
}

#[test]
fn every_entry_of_session_storage_that_counts_is_asked_for() {
    for name in SESSION_NAMES.split(' ') {
        shows(session(&format!("{name}=1")), &format!("{name} (sessionStorage)"));
    }
}

fn own() -> [QaSignal; 4] {
    let signal = |cookie, entry: &str| QaSignal { cookie, entry: entry.to_owned() };
    [signal(false, "qa"), signal(false, "mode=test"), signal(true, "team"), signal(true, "env=qa")]
}

#[track_caller]
fn shows_qa(shown: Shown, signal: &str) {
    assert_eq!(qa(&shown, &own()), signal, "in {shown:?}");
}

#[test]
fn the_sites_own_qa_signals_are_names_or_pairs_of_parameters_and_cookies() {
    shows_qa(query("a=1&qa=1"), "qa (query)");
    shows_qa(query("qa"), "qa (query)");
    shows_qa(query("mode=test"), "mode=test (query)");
    shows_qa(cookies("a=1; team=yes"), "team (cookie)");
    shows_qa(cookies("env=qa"), "env=qa (cookie)");
    for ordinary in
        [query("mode=live&aqa=1&qa2=1"), query("team=1"), cookies("env=production; mode=test; qa=1")]
    {
        shows_qa(ordinary, "");
    }
}

#[test]
fn forced_tracking_is_qa_whatever_its_value_is() {
    for value in ["true", "false", "1"] {
        let signal = qa(&query(&format!("optimizely_force_tracking={value}")), &[]);
        assert_eq!(signal, "optimizely_force_tracking (query)");
        assert!(is_forced_tracking(&signal));
    }
    assert_eq!(qa(&query("optimizely_force_tracking="), &[]), "");
    assert_eq!(qa(&cookies("optimizely_force_tracking=true"), &[]), "");
    assert!(!is_forced_tracking("qa (query)"));
}

#[test]
fn a_cookie_is_found_by_its_whole_name_and_keeps_the_equals_signs_of_its_value() {
    let cookies = "xa=0; a=1=2; b; c= d";
    assert_eq!(cookie(cookies, "a"), "1=2");
    assert_eq!(cookie(cookies, "b"), "");
    assert_eq!(cookie(cookies, "c"), " d");
    assert_eq!(cookie(cookies, "missing"), "");
}
