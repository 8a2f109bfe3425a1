//! Signals: what in the address bar, the cookies and the tab's storage shows that this is no
//! visitor but somebody previewing (a draft, a forced variation) or the site's own QA.

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

/// What the page shows, as text. The search strings may be several (now and at page load, since
/// some tools tidy the address), joined by `&`.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The query, without its `?`.
    pub search: String,
    /// `document.cookie`.
    pub cookies: String,
    /// The tab's preview signal of an earlier page, if any.
    pub remembered_preview: Option<String>,
    /// The tab's QA signal of an earlier page, if any.
    pub remembered_qa: Option<String>,
    /// The entries of sessionStorage named in [`session_names`] that are there.
    pub session: Vec<(String, String)>,
}

/// Which signals were found, by name; the first of each kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signals {
    /// A preview signal, for instance `optimizely_x (query)`.
    pub preview: Option<String>,
    /// A QA signal.
    pub qa: Option<String>,
}

/// The entries of sessionStorage that can be signals.
pub fn session_names() -> impl Iterator<Item = &'static str> {
    PREVIEW.iter().filter(|(place, ..)| *place == Place::Session).map(|(_, name, _)| *name)
}

/// Finds the signals in what the page shows.
pub fn find(shown: &Shown, own: &[QaSignal]) -> Signals {
    let forced_tracking = present(pairs(&shown.search, "&"), FORCE_TRACKING, Needs::Set, true)
        || present(pairs(&shown.search, "&"), FORCE_TRACKING, Needs::Exactly("false"), true);
    let qa = own.iter().find(|signal| is_present(signal, shown)).map(QaSignal::shown);
    let forced = forced_tracking.then(|| [FORCE_TRACKING, " (query)"].concat());
    let qa = forced.or(qa).or_else(|| shown.remembered_qa.clone());
    let preview = || {
        let found = PREVIEW.iter().find(|(place, name, needs)| match place {
            Place::Param => present(pairs(&shown.search, "&"), name, *needs, true),
            Place::Cookie => present(pairs(&shown.cookies, "; "), name, *needs, true),
            Place::CookiePrefix => present(pairs(&shown.cookies, "; "), name, *needs, false),
            Place::Session => {
                let entries = shown.session.iter().map(|(name, value)| (&**name, &**value));
                present(entries, name, *needs, true)
            }
        });
        found
            .map(|(place, name, _)| [name, place.label()].concat())
            .or_else(|| shown.remembered_preview.clone())
    };
    Signals { preview: if forced_tracking { None } else { preview() }, qa }
}

impl Place {
    fn label(self) -> &'static str {
        match self {
            Place::Param => " (query)",
            Place::Cookie | Place::CookiePrefix => " (cookie)",
            Place::Session => " (sessionStorage)",
        }
    }
}

fn is_present(signal: &QaSignal, shown: &Shown) -> bool {
    let mut entries = match signal.cookie {
        true => pairs(&shown.cookies, "; "),
        false => pairs(&shown.search, "&"),
    };
    entries.any(|(name, value)| {
        unescape(name) == signal.name && signal.value.as_ref().is_none_or(|wanted| unescape(value) == *wanted)
    })
}

fn present<'a>(
    mut entries: impl Iterator<Item = (&'a str, &'a str)>,
    wanted: &str,
    needs: Needs,
    whole: bool,
) -> bool {
    entries.any(|(name, value)| {
        let named = if whole { name == wanted } else { name.starts_with(wanted) };
        named
            && match needs {
                Needs::Any => true,
                Needs::Set => !["", "false", "0"].contains(&value),
                Needs::Exactly(exact) => value == exact,
            }
    })
}

/// The `name=value` pairs of a query or a cookie string.
pub fn pairs<'a>(text: &'a str, separator: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.split(separator)
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Undoes percent-encoding; what is not valid stays as it is.
pub fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.split_at_checked(2).filter(|_| *first == b'%');
        let byte = digits.and_then(|(digits, tail)| {
            let digits = core::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, tail))
        });
        let (byte, tail) = byte.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
