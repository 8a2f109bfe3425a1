//! Segment: `window.analytics`, be it the snippet's stub, analytics.js, the npm package, or another
//! library that speaks its language.

use crate::decision::{Decision, Text};
use crate::destination::State;
use crate::json::Fields;
use crate::options::Options;
use crate::outbox::Sending;
use crate::view::{Picked, kind};

/// What [`state`] and the rest want to know of `window`.
pub const PATHS: &str = "analytics analytics.track analytics.initialized analytics.VERSION \
    analytics.then analytics.load analytics.instance analytics.settings.writeKey analytics.queue.plugins.* \
    analytics.instance.settings.writeKey analytics.instance.queue.plugins.*";

/// In which state `window.analytics` is, as [`PATHS`] shows it. `blocked` says that its script could
/// not be loaded.
///
/// "`track` is a function" says nothing: a stub has it for ever when analytics.js is blocked.
pub fn state(told: &Picked, blocked: bool) -> State {
    let is = |place: usize, kind: char| told.at(place).is(kind);
    if !is(1, kind::FUNCTION) {
        return State::Missing;
    }
    let queues = State::queues(blocked);
    // A disabled analytics.js, or one whose visitor refused consent, looks initialized and drops all.
    let is_null =
        |key: usize| is(key, kind::TEXT) && told.at(key).text.is_empty() && told.at(key + 1).text.is_empty();
    if is(0, kind::LIST) || is(2, kind::BOOL) && !told.at(2).is_true() {
        return queues;
    }
    if told.at(2).is_true() {
        let ready = State::Ready { confirms: has_version(told) };
        return if is_null(7) { State::Failed } else { ready };
    }
    // The npm package's buffer: it has its instance once it has loaded.
    if is(4, kind::FUNCTION) && is(5, kind::FUNCTION) {
        return match (is(6, kind::OBJECT), is_null(9)) {
            (false, _) => queues,
            (_, true) => State::Failed,
            _ => State::Ready { confirms: true },
        };
    }
    State::Ready { confirms: false }
}

/// Whether it is another library that speaks Segment's language.
pub fn is_foreign(told: &Picked, state: State) -> bool {
    state == State::Ready { confirms: false } && !has_version(told)
}

/// The options of `track`. They carry the time of the decision (`time`, ISO 8601), its idempotency
/// key, the page it was made on when that is another than `here`, and what the site adds.
pub fn options(sending: &Sending, own: &Options, time: &str, here: &str) -> Fields {
    let mut options = Fields::default();
    options.text("timestamp", time);
    options.text("messageId", &sending.message_id);
    let decision = &sending.decision;
    let made_on = decision.get(Text::PageUrl);
    let mut context = own.segment_context();
    if !made_on.is_empty() && made_on != here {
        let mut page = Fields::default();
        page.text("url", decision.get(Text::PageUrl));
        page.text("path", decision.get(Text::PagePath));
        page.text("title", decision.get(Text::PageTitle));
        page.put("search", "\"\"");
        context.put("page", &page.json());
    }
    for (name, fields) in [("context", context), ("integrations", own.segment_integrations())] {
        if fields != Fields::default() {
            options.put(name, &fields.json());
        }
    }
    options
}

/// The traits an exposure adds, where the site wants any: the variation of this experiment. The page
/// adds it to those of before, since Segment replaces `experiments` as a whole.
pub fn traits(decision: &Decision, own: &Options) -> Fields {
    let mut traits = Fields::default();
    if own.identify() {
        let mut experiments = Fields::default();
        let variation = decision.first_of(&[Text::VariationKey], decision.variation());
        experiments.text(
            decision.first_of(&[Text::ExperimentKey], decision.experiment()),
            if decision.holdback { "holdback" } else { variation },
        );
        traits.put("experiments", &experiments.json());
    }
    traits
}

/// Only analytics.js has a version like `1.84.3`.
fn has_version(told: &Picked) -> bool {
    told.at(3).string().contains('.')
}
