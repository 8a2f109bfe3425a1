//! Signals: what in the address bar, the cookies and the tab's storage shows that this is no
//! visitor but somebody previewing (a draft, a forced variation) or the site's own QA.

use crate::json::join;
use crate::options::QaSignal;

/// Where a signal is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Param,
    Cookie,
    /// A cookie whose name begins so.
    CookiePrefix,
    Session,
}

/// What value makes it a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Being there.
    Any,
    /// Being there with a value that is not empty, `false` or `0`.
    Set,
    /// This very value.
    Exactly(&'static str),
}

/// The preview signals of the experiment tools. Everybody who shows one is taken off every
/// tool's data: who previews a draft in one of them is no visitor to the others either.
const PREVIEW: &[(Place, &str, Needs)] = {
    use Needs::{Any, Exactly, Set};
    use Place::{Cookie, CookiePrefix, Param, Session};
    &[
        // Optimizely Web. `optimizely_embed_editor=false` stands in ordinary links.
        (Param, "optimizely_token", Set),
        (Param, "optimizely_x", Set),
        (Param, "optimizely_x_audiences", Set),
        (Param, "optimizely_preview_layer_ids", Set),
        (Param, "optimizely_preview_mode_CAMPAIGN", Set),
        (Param, "optimizely_embed_editor", Set),
        (Param, "optimizely_p13n", Set),
        (Param, "optimizely_editor", Set),
        (Param, "optimizely_show_preview", Set),
        (Param, "optimizely_project_id", Set),
        (Param, "optimizely_experiment_id", Set),
        (Param, "optimizely_variation_id", Set),
        (Cookie, "optimizelyPreview", Set),
        (Cookie, "optimizelyToken", Set),
        (Session, "optimizely_embed_editor", Set),
        // VWO
        (Param, "_vis_opt_preview_combination", Any),
        (Param, "_vis_preview_data", Set),
        (CookiePrefix, "debug_vis_preview_", Any),
        // AB Tasty
        (Param, "ab_project", Exactly("preview")),
        (Param, "abtasty_qa_assistant", Set),
        (Param, "abtasty_qa_assistant_token", Set),
        // Convert
        (Param, "convert_action", Exactly("convert_vpreview")),
        // Kameleoon
        (Param, "kameleoon-simulation", Set),
        (Cookie, "kameleoonSimulationParameters", Set),
        // Adobe Target
        (Param, "at_preview_token", Set),
        (Cookie, "at_qa_mode", Set),
        // Webtrends Optimize
        (Param, "_wt.mode", Exactly("staging")),
        // Amplitude Web Experiment
        (Param, "PREVIEW", Exactly("true")),
        (Session, "amp-preview-mode", Set),
        // A vs B
        (Param, "avsb_preview_token", Set),
    ]
};

/// With this parameter somebody asks Optimizely to track although he previews: live QA.
const FORCE_TRACKING: &str = "optimizely_force_tracking";

/// What the page shows, as text, decoded.
#[derive(Clone, Debug, Default)]
pub struct Shown<'a> {
    /// The query, without its `?`; several, when the tools have tidied the address since, joined
    /// by `&`.
    pub search: &'a str,
    /// `document.cookie`.
    pub cookies: &'a str,
    /// The entries of sessionStorage that are there, of those named by [`SESSION_NAMES`], in the
    /// form of a cookie string.
    pub session: &'a str,
}

/// The names of the entries of sessionStorage that can be signals, divided by spaces.
pub const SESSION_NAMES: &str = "optimizely_embed_editor amp-preview-mode";

/// Whether this QA signal is a request to track in spite of a preview.
pub fn is_forced_tracking(signal: &str) -> bool {
    signal.starts_with(FORCE_TRACKING)
}

/// The preview signal that the page shows, by name; empty when there is none. Who asks Optimizely
/// to track in spite of a forced variation is not previewing but doing QA.
pub fn preview(shown: &Shown) -> String {
    for (place, name, needs) in PREVIEW {
        let (text, separator, label) = match place {
            Place::Param => (shown.search, '&', " (query)"),
            Place::Session => (shown.session, ';', " (sessionStorage)"),
            Place::Cookie | Place::CookiePrefix => (shown.cookies, ';', " (cookie)"),
        };
        let whole = *place != Place::CookiePrefix;
        if present(text, separator, name, *needs, whole) {
            return join(&[name, label]);
        }
    }
    String::new()
}

/// The QA signal that the page shows, of the site's own or Optimizely's; empty when there is none.
pub fn qa(shown: &Shown, own: &[QaSignal]) -> String {
    // Any value counts, even `false`.
    if !value_of(shown.search, '&', FORCE_TRACKING).is_empty() {
        return join(&[FORCE_TRACKING, " (query)"]);
    }
    for signal in own {
        let (text, separator, label) =
            if signal.cookie { (shown.cookies, ';', " (cookie)") } else { (shown.search, '&', " (query)") };
        let found = pairs(text, separator).any(|(name, value)| {
            let pair = join(&[name, "=", value]);
            signal.entry == name || signal.entry == pair
        });
        if found {
            return join(&[&signal.entry, label]);
        }
    }
    String::new()
}

#[inline(never)]
fn present(text: &str, separator: char, wanted: &str, needs: Needs, whole: bool) -> bool {
    pairs(text, separator).any(|(name, value)| {
        let named = if whole { name == wanted } else { name.starts_with(wanted) };
        named
            && match needs {
                Needs::Any => true,
                Needs::Set => !["", "false", "0"].contains(&value),
                Needs::Exactly(exact) => value == exact,
            }
    })
}

/// The value of a cookie; empty when there is none.
pub fn cookie<'a>(cookies: &'a str, name: &str) -> &'a str {
    value_of(cookies, ';', name)
}

#[inline(never)]
fn value_of<'a>(text: &'a str, separator: char, wanted: &str) -> &'a str {
    pairs(text, separator).find(|(name, _)| *name == wanted).map(|(_, value)| value).unwrap_or_default()
}

/// The `name=value` pairs of a query or a cookie string.
fn pairs(text: &str, separator: char) -> impl Iterator<Item = (&str, &str)> {
    text.split(separator).map(|pair| {
        let pair = pair.trim_start_matches(' ');
        pair.split_once('=').unwrap_or((pair, ""))
    })
}
