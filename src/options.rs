//! `Options`: what the page asks of us, parsed once. A faulty option is named and falls back to
//! its default; the rest works.

use crate::decision::cut;
use crate::destination::Destination;
use crate::json::{Fields, decimal, join, list, quoted, whole};
use crate::source::Source;
use crate::view::{Picked, Told, View, fault, kind};

/// The options of `init`, checked. One table says what each is called, may be and is by default.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    texts: [String; 6],
    numbers: [f64; 4],
    choices: [u8; 17],
    fields: [Fields; 6],
    /// The site's own QA signals.
    pub qa_signals: Vec<QaSignal>,
    /// The sources to look for, a bit for each; none means all that can be found.
    pub sources: Option<u32>,
    /// The destinations to deliver to, a bit for each; none means all.
    pub destinations: Option<u32>,
    /// The only events whose revenue is forwarded; none means all.
    pub only_revenue_for: Option<Vec<String>>,
}

/// A query parameter or cookie that marks the site's own QA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QaSignal {
    /// Whether it is a cookie.
    pub cookie: bool,
    /// `name` or `name=value`.
    pub entry: String,
}

/// How property names are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `experimentId`
    Camel,
    /// `experiment_id`
    Snake,
}

/// The scope within which the same decision is a duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dedupe {
    /// This page view.
    Page,
    /// This tab.
    Tab,
    /// All tabs of the site, until the session times out.
    Session,
    /// This browser, for ever.
    Visitor,
    /// No scope: nothing is a duplicate.
    None,
}

/// What becomes of decisions of a special kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// They are dropped.
    Drop,
    /// They are sent with a mark.
    Mark,
    /// They are sent like any other.
    Send,
}

/// What an option may be, and where it is kept. What is called a place is one in [`PATHS`].
#[derive(Clone, Copy)]
enum Spec {
    Text(usize, &'static str),
    Number(usize, f64, f64, f64, &'static str),
    Choice(usize, &'static [&'static str]),
    /// With its default.
    Flag(usize, bool),
    /// An object of strings, numbers and booleans, and the place of its entries.
    Scalars(usize, usize),
    /// An object of anything, and the place of its entries as JSON.
    Anything(usize, usize),
    /// An object of options, which are in the table under its name and theirs. `null` and `false`
    /// ask for nothing in it.
    Group(usize),
    Signals(bool, usize),
    Events(usize),
    /// The consent tools that are asked: the name of one, or a list.
    ConsentTools(usize),
    Sources(usize),
    Destinations(usize),
}

/// What is looked at of what `init` got.
const PATHS: &str = "* properties.* sources.* destinations.* qaSignals.* qaSignals.params.* \
    qaSignals.cookies.* statsig.* statsig.customIDs.* statsig.custom.* forwardEvents.* \
    forwardEvents.onlyRevenueFor.* destinationOptions.* destinationOptions.segment.* \
    destinationOptions.segment.context.*!json destinationOptions.segment.integrations.*!json \
    destinationOptions.amplitude.* sourceOptions.*!json consentFrom.*";

const WRITE_KEY: usize = 0;
const CDN_URL: usize = 1;
const EVENT_NAME: usize = 2;
const ENVIRONMENT: usize = 3;
const EXPOSURE_EVENT: usize = 4;
const CONSENT_CATEGORY: usize = 5;

const DEDUPE: usize = 0;
const PREVIEW: usize = 1;
const QA: usize = 2;
const HOLDBACK: usize = 3;
const CASE: usize = 4;
const REQUIRE_CONSENT: usize = 5;
const DEBUG: usize = 6;
const IDENTIFY: usize = 7;
const ALIAS: usize = 8;
const IDENTITY: usize = 9;
const TO: usize = 10;
/// Custom events.
pub const TRACK: usize = 11;
/// Pages with a name.
pub const NAMED_PAGES: usize = 12;
/// Pages with a category.
pub const CATEGORIZED_PAGES: usize = 13;
const REVENUE: usize = 14;
const CONSENT_DEFAULT: usize = 15;
/// A bit for each of the tools, and one that says that they are asked.
const CONSENT_FROM: usize = 16;
const ASKED: u8 = 1 << 7;

const PROPERTIES: usize = 0;
const CUSTOM_IDS: usize = 1;
const CUSTOM: usize = 2;
const CONTEXT: usize = 3;
const INTEGRATIONS: usize = 4;
const SOURCE_OPTIONS: usize = 5;

/// The place of what was said about `forwardEvents`.
const FORWARD_EVENTS: usize = 10;

/// The consent tools that can be asked; what each does is in `www/consent.js`.
const CONSENT_TOOLS: [&str; 7] =
    ["googleConsentMode", "oneTrust", "cookiebot", "tcf", "segment", "gpc", "dnt"];

/// The first of the choices is the default, except for `qa`.
const TREATMENTS: &[&str] = &["drop", "mark", "send"];
const NOT_EMPTY: &str = "a string that is not empty";

const SPECS: [(&str, Spec); 44] = {
    use Spec::{
        Anything, Choice, ConsentTools, Destinations, Events, Flag, Group, Number, Scalars, Signals, Sources,
        Text,
    };
    [
        ("writeKey", Text(WRITE_KEY, "letters, digits, _ and -")),
        ("cdnUrl", Text(CDN_URL, "an https: URL, or http: on a loopback host, without query")),
        ("eventName", Text(EVENT_NAME, NOT_EMPTY)),
        ("propertyCase", Choice(CASE, &["auto", "camelCase", "snake_case"])),
        ("properties", Scalars(PROPERTIES, 1)),
        ("sources", Sources(2)),
        ("sourceOptions", Anything(SOURCE_OPTIONS, 17)),
        ("destinations", Destinations(3)),
        ("destinationOptions", Group(12)),
        ("destinationOptions.segment", Group(13)),
        ("destinationOptions.segment.context", Anything(CONTEXT, 14)),
        ("destinationOptions.segment.integrations", Anything(INTEGRATIONS, 15)),
        ("destinationOptions.amplitude", Group(16)),
        ("destinationOptions.amplitude.exposureEvent", Text(EXPOSURE_EVENT, NOT_EMPTY)),
        ("identify", Flag(IDENTIFY, false)),
        ("alias", Flag(ALIAS, false)),
        ("pollIntervalMs", Number(0, 250.0, 10.0, 60_000.0, "a number of 10 to 60000")),
        ("maxWaitMs", Number(1, 5000.0, 0.0, 600_000.0, "a number of 0 to 600000")),
        ("carryOverMs", Number(2, 1_800_000.0, 0.0, f64::MAX, "a number of 0 or more")),
        ("dedupe", Choice(DEDUPE, &["session", "page", "tab", "visitor", "none"])),
        ("sessionTimeoutMs", Number(3, 1_800_000.0, 1000.0, f64::MAX, "a number of 1000 or more")),
        ("preview", Choice(PREVIEW, TREATMENTS)),
        ("qa", Choice(QA, TREATMENTS)),
        ("qaSignals", Group(4)),
        ("qaSignals.params", Signals(false, 5)),
        ("qaSignals.cookies", Signals(true, 6)),
        ("holdback", Choice(HOLDBACK, &["auto", "drop", "send"])),
        ("requireConsent", Flag(REQUIRE_CONSENT, false)),
        ("consentFrom", ConsentTools(18)),
        ("consentCategory", Text(CONSENT_CATEGORY, NOT_EMPTY)),
        ("consentDefault", Choice(CONSENT_DEFAULT, &["hold", "grant", "refuse"])),
        ("statsig", Group(7)),
        ("statsig.identity", Flag(IDENTITY, false)),
        ("statsig.customIDs", Scalars(CUSTOM_IDS, 8)),
        ("statsig.custom", Scalars(CUSTOM, 9)),
        ("statsig.environment", Text(ENVIRONMENT, NOT_EMPTY)),
        ("forwardEvents", Group(FORWARD_EVENTS)),
        ("forwardEvents.to", Choice(TO, &["", "optimizelyWeb"])),
        ("forwardEvents.track", Flag(TRACK, true)),
        ("forwardEvents.namedPages", Flag(NAMED_PAGES, true)),
        ("forwardEvents.categorizedPages", Flag(CATEGORIZED_PAGES, true)),
        ("forwardEvents.revenue", Choice(REVENUE, &["as-is", "cents"])),
        ("forwardEvents.onlyRevenueFor", Events(11)),
        ("debug", Flag(DEBUG, false)),
    ]
};

const WHO: &str = "init: option";

impl Default for Options {
    fn default() -> Options {
        let mut options = Options {
            texts: Default::default(),
            numbers: [0.0; 4],
            choices: [0; 17],
            fields: Default::default(),
            qa_signals: Vec::new(),
            sources: None,
            destinations: None,
            only_revenue_for: None,
        };
        for (_, spec) in SPECS {
            match spec {
                Spec::Number(at, default, ..) => set(&mut options.numbers, at, default),
                Spec::Flag(at, default) => set(&mut options.choices, at, u8::from(default)),
                _ => {}
            }
        }
        set(&mut options.choices, QA, 1);
        options
    }
}

impl Options {
    /// Segment write key; empty when there is none.
    pub fn write_key(&self) -> &str {
        text(&self.texts, WRITE_KEY)
    }

    /// Where analytics.js is loaded from, without a slash at the end; empty for Segment's own.
    pub fn cdn_url(&self) -> &str {
        text(&self.texts, CDN_URL)
    }

    /// The event name of exposures; empty when each source has its own.
    pub fn event_name(&self) -> &str {
        text(&self.texts, EVENT_NAME)
    }

    /// Properties added to each exposure.
    pub fn properties(&self) -> Fields {
        self.field(PROPERTIES)
    }

    /// What Segment's context is given with each exposure.
    pub fn segment_context(&self) -> Fields {
        self.field(CONTEXT)
    }

    /// Which of its integrations Segment is to serve with exposures.
    pub fn segment_integrations(&self) -> Fields {
        self.field(INTEGRATIONS)
    }

    /// The event name of exposures in Amplitude; empty when it is that of the source.
    pub fn exposure_event(&self) -> &str {
        text(&self.texts, EXPOSURE_EVENT)
    }

    /// Whether the assignment is recorded as a trait of the user, too.
    pub fn identify(&self) -> bool {
        self.choice(IDENTIFY) > 0
    }

    /// Whether the experiment tool is told of these analytics events: [`TRACK`], [`NAMED_PAGES`] or
    /// [`CATEGORIZED_PAGES`].
    pub fn forwards(&self, which: usize) -> bool {
        self.choice(TO) > 0 && self.choice(which) > 0
    }

    /// Whether forwarded revenue goes from the currency's unit to cents.
    pub fn revenue_in_cents(&self) -> bool {
        self.choice(REVENUE) > 0
    }

    /// How property names are spelled; none when each source has its own way.
    pub fn property_case(&self) -> Option<Case> {
        match self.choice(CASE) {
            1 => Some(Case::Camel),
            2 => Some(Case::Snake),
            _ => None,
        }
    }

    /// How often a missing destination is looked for, in ms.
    pub fn poll_interval_ms(&self) -> f64 {
        self.number(0)
    }

    /// How long a missing destination is looked for on this page, in ms.
    pub fn max_wait_ms(&self) -> f64 {
        self.number(1)
    }

    /// How long an undelivered decision may wait, across pages, in ms; 0 means this page only.
    pub fn carry_over_ms(&self) -> f64 {
        self.number(2)
    }

    /// After how many ms without a page or decision a session ends.
    pub fn session_timeout_ms(&self) -> f64 {
        self.number(3)
    }

    /// Within which scope the same decision is a duplicate.
    pub fn dedupe(&self) -> Dedupe {
        match self.choice(DEDUPE) {
            0 => Dedupe::Session,
            1 => Dedupe::Page,
            2 => Dedupe::Tab,
            3 => Dedupe::Visitor,
            _ => Dedupe::None,
        }
    }

    /// What becomes of decisions made in preview mode.
    pub fn preview(&self) -> Treatment {
        treatment(self.choice(PREVIEW))
    }

    /// What becomes of decisions made in QA.
    pub fn qa(&self) -> Treatment {
        treatment(self.choice(QA))
    }

    /// Whether holdback decisions are dropped; none when it depends on the kind of decision.
    pub fn drops_holdback(&self) -> Option<bool> {
        let choice = self.choice(HOLDBACK);
        (choice > 0).then_some(choice == 1)
    }

    /// Whether everything waits for `consent(true)`.
    pub fn require_consent(&self) -> bool {
        self.choice(REQUIRE_CONSENT) > 0 || self.choice(CONSENT_FROM) > 0
    }

    /// Whether each step of each decision is logged.
    pub fn debug(&self) -> bool {
        self.choice(DEBUG) > 0
    }

    /// Whether a source is to be looked for.
    pub fn wants(&self, source: Source) -> bool {
        self.sources.is_none_or(|bits| bits >> source as u32 & 1 == 1)
    }

    /// Whether the page named this source itself, so that it is sure to come.
    pub fn names(&self, source: Source) -> bool {
        self.sources.is_some() && self.wants(source)
    }

    /// The destinations to deliver to: with `"auto"`, all that may be found on the page.
    pub fn destinations(&self) -> impl Iterator<Item = Destination> + use<> {
        let bits = self.destinations.unwrap_or((1 << Destination::AUTO) - 1);
        Destination::ALL.into_iter().filter(move |it| bits >> *it as u32 & 1 == 1)
    }

    /// Whether only those destinations are meant that are on the page.
    pub fn finds_destinations(&self) -> bool {
        self.destinations.is_none()
    }

    fn number(&self, at: usize) -> f64 {
        self.numbers.get(at).copied().unwrap_or_default()
    }

    fn field(&self, at: usize) -> Fields {
        self.fields.get(at).cloned().unwrap_or_default()
    }

    fn choice(&self, at: usize) -> u8 {
        self.choices.get(at).copied().unwrap_or_default()
    }

    /// Reads the options the page passed to `init`. Each fault is one text in `mistakes`.
    pub fn parse(view: &impl View, mistakes: &mut Vec<String>) -> Options {
        let mut options = Options::default();
        let all = view.pick(PATHS, "");
        let told = all.at(0);
        if !matches!(told.kind, kind::OBJECT | kind::MISSING | kind::NULL) {
            mistakes.push(join(&["init: the options are ", &told.spelled(), ", must be an object"]));
        }
        options.take_all("", told, &all, mistakes);
        if !options.cdn_url().is_empty() && options.write_key().is_empty() {
            mistakes.push("init: option `cdnUrl` is of no use without `writeKey`".to_owned());
        }
        let told = all.at(FORWARD_EVENTS);
        let to = |(name, value): (&str, Told)| name == "to" && !value.is(kind::MISSING);
        if told.is(kind::OBJECT) && !told.entries().any(to) {
            mistakes.push("init: option `forwardEvents.to` is missing, must be \"optimizelyWeb\"".to_owned());
        }
        options
    }

    /// Takes the options of one object; `prefix` is its name, with a dot behind it.
    fn take_all(&mut self, prefix: &str, told: Told, all: &Picked, mistakes: &mut Vec<String>) {
        for (name, value) in told.entries().filter(|_| told.is(kind::OBJECT)) {
            let name = join(&[prefix, cut(name)]);
            match SPECS.iter().find(|(known, _)| *known == name) {
                // As good as not given.
                _ if value.is(kind::MISSING) => {}
                // Nobody names an option of a group with a dot.
                Some((name, spec)) if name.matches('.').count() == prefix.matches('.').count() => {
                    self.take(name, *spec, value, all, mistakes);
                }
                _ => mistakes.push(join(&[WHO, " `", &name, "` is not known"])),
            }
        }
    }

    fn take(&mut self, name: &str, spec: Spec, value: Told, all: &Picked, mistakes: &mut Vec<String>) {
        let wanted = match spec {
            Spec::Text(at, wanted) => {
                let told = match at {
                    CDN_URL => value.string().trim_end_matches('/'),
                    _ => cut(value.string()),
                };
                let good = match at {
                    WRITE_KEY => is_write_key(told),
                    CDN_URL => is_cdn_url(told),
                    _ => !told.trim().is_empty(),
                };
                if good {
                    set(&mut self.texts, at, told.to_owned());
                    return;
                }
                wanted.to_owned()
            }
            Spec::Number(at, _, least, most, wanted) => {
                let number = if value.is(kind::NUMBER) { whole(value.text) } else { None };
                if let Some(number) = number.filter(|number| *number >= least && *number <= most) {
                    set(&mut self.numbers, at, number);
                    return;
                }
                wanted.to_owned()
            }
            Spec::Choice(at, names) => {
                if let Some(choice) =
                    names.iter().position(|name| !name.is_empty() && *name == value.string())
                {
                    set(&mut self.choices, at, choice as u8);
                    return;
                }
                one_of(names)
            }
            Spec::Flag(at, _) => {
                if value.is(kind::BOOL) {
                    set(&mut self.choices, at, u8::from(value.is_true()));
                    return;
                }
                "true or false".to_owned()
            }
            Spec::Scalars(at, place) => {
                let entries = if value.is(kind::OBJECT) { all.at(place) } else { value };
                set(&mut self.fields, at, scalars(WHO, name, entries, mistakes));
                return;
            }
            Spec::Anything(at, place) if value.is(kind::OBJECT) => {
                let mut fields = Fields::default();
                for (key, value) in all.at(place).entries() {
                    let part = join(&[name, ".", cut(key)]);
                    let strange = at == SOURCE_OPTIONS && !Source::ALL.iter().any(|it| it.name() == key);
                    match value.kind {
                        kind::MISSING => {}
                        _ if strange => mistakes.push(join(&[WHO, " `", &part, "` is not known"])),
                        kind::TEXT => fields.put(cut(key), value.text),
                        _ => mistakes.push(fault(WHO, &part, value, "what JSON can carry")),
                    }
                }
                set(&mut self.fields, at, fields);
                return;
            }
            Spec::Group(place) if value.is(kind::OBJECT) => {
                self.take_all(&join(&[name, "."]), all.at(place), all, mistakes);
                return;
            }
            Spec::Group(_) if value.is(kind::NULL) || value.text == "false" => return,
            Spec::Anything(..) | Spec::Group(_) => "an object".to_owned(),
            Spec::Signals(cookie, place) => {
                for entry in
                    names(name, value, all.at(place), "a list of names or name=value pairs", mistakes)
                {
                    self.qa_signals.push(QaSignal { cookie, entry });
                }
                return;
            }
            Spec::Events(place) => {
                let events = names(name, value, all.at(place), "a list of event names", mistakes);
                // Where none is good, the default counts.
                let none = value.is(kind::LIST) && all.at(place).text.is_empty();
                self.only_revenue_for = (none || !events.is_empty()).then_some(events);
                return;
            }
            Spec::ConsentTools(_) if value.is(kind::NULL) || value.text == "false" => return,
            Spec::ConsentTools(place) => {
                let one = CONSENT_TOOLS.iter().position(|tool| *tool == value.string());
                let bits = match one {
                    Some(tool) => 1 << tool,
                    None if !value.is(kind::LIST) => {
                        mistakes.push(fault(WHO, name, value, &one_of(&CONSENT_TOOLS)));
                        0
                    }
                    None => {
                        kinds(name, value, all.at(place), &CONSENT_TOOLS, 0, mistakes).unwrap_or_default()
                    }
                };
                // Whoever means to ask is not taken to need no consent, whatever he wrote.
                set(&mut self.choices, CONSENT_FROM, ASKED | bits as u8);
                return;
            }
            Spec::Sources(place) => {
                // The first source is told by calls only: there is nothing to look for.
                let known = Source::ALL.map(Source::name);
                self.sources = kinds(name, value, all.at(place), &known, 1, mistakes);
                return;
            }
            Spec::Destinations(place) => {
                let known = Destination::ALL.map(Destination::name);
                self.destinations = kinds(name, value, all.at(place), &known, 0, mistakes);
                return;
            }
        };
        mistakes.push(fault(WHO, name, value, &wanted));
    }

    /// The options in force, for the report. The write key is shortened.
    pub fn shown(&self) -> Fields {
        self.shown_in("")
    }

    fn shown_in(&self, prefix: &str) -> Fields {
        let mut fields = Fields::default();
        for (name, spec) in SPECS {
            let Some(short) = name.strip_prefix(prefix).filter(|short| !short.contains('.')) else {
                continue;
            };
            match spec {
                Spec::Text(WRITE_KEY, _) => {
                    let key = self.write_key();
                    let start = key.get(..4).unwrap_or(key);
                    fields.text_or_null(
                        short,
                        &if key.is_empty() { String::new() } else { join(&[start, "…"]) },
                    );
                }
                Spec::Text(at, _) => fields.text_or_null(short, text(&self.texts, at)),
                Spec::Number(at, ..) => fields.number(short, self.number(at)),
                Spec::Choice(at, names) => {
                    let choice = names.get(usize::from(self.choice(at))).copied().unwrap_or_default();
                    fields.text_or_null(short, choice);
                }
                Spec::Flag(at, _) => fields.flag(short, self.choice(at) > 0),
                Spec::Scalars(at, _) | Spec::Anything(at, _) => fields.put(short, &self.field(at).json()),
                Spec::Group(_) => fields.put(short, &self.shown_in(&join(&[name, "."])).json()),
                Spec::Signals(cookie, _) => {
                    let signals = self.qa_signals.iter().filter(|it| it.cookie == cookie);
                    fields.put(short, &list(signals.map(|it| quoted(&it.entry))));
                }
                Spec::Events(_) => {
                    let shown = |names: &Vec<String>| list(names.iter().map(|name| quoted(name)));
                    fields.put(short, &self.only_revenue_for.as_ref().map_or("null".to_owned(), shown));
                }
                Spec::ConsentTools(_) => {
                    let asked = self.choice(CONSENT_FROM);
                    let tools = CONSENT_TOOLS.iter().enumerate().filter(|(tool, _)| asked >> tool & 1 == 1);
                    fields.put(short, &list(tools.map(|(_, name)| quoted(name))));
                }
                Spec::Sources(_) if self.sources.is_none() => fields.text(short, "auto"),
                Spec::Sources(_) => {
                    let named = Source::ALL.into_iter().filter(|it| self.names(*it));
                    fields.put(short, &list(named.map(|it| quoted(it.name()))));
                }
                Spec::Destinations(_) => {
                    fields.put(short, &list(self.destinations().map(|it| quoted(it.name()))));
                }
            }
        }
        fields
    }
}

fn set<T>(slots: &mut [T], at: usize, value: T) {
    if let Some(slot) = slots.get_mut(at) {
        *slot = value;
    }
}

fn text(texts: &[String], at: usize) -> &str {
    texts.get(at).map(String::as_str).unwrap_or_default()
}

fn treatment(choice: u8) -> Treatment {
    match choice {
        0 => Treatment::Drop,
        1 => Treatment::Mark,
        _ => Treatment::Send,
    }
}

/// Reads `"auto"`, or a list of kinds, as a bit for each kind. None stands for `"auto"`; so does a
/// list without one good entry, since that is the default.
#[inline(never)]
fn kinds(
    name: &str,
    value: Told,
    items: Told,
    known: &[&str],
    first: usize,
    mistakes: &mut Vec<String>,
) -> Option<u32> {
    if !value.is(kind::LIST) {
        if value.string() != "auto" {
            mistakes.push(fault(WHO, name, value, "\"auto\" or a list"));
        }
        return None;
    }
    let known = known.get(first..).unwrap_or_default();
    let (mut bits, mut count) = (0, 0.0);
    for (_, item) in items.entries() {
        if let Some(kind) = known.iter().position(|name| *name == item.string()) {
            bits |= 1 << (kind + first);
        } else {
            let part = join(&[name, "[", &decimal(count), "]"]);
            mistakes.push(fault(WHO, &part, item, &one_of(known)));
        }
        count += 1.0;
    }
    (count == 0.0 || bits > 0).then_some(bits)
}

/// Reads a list of texts that are not empty; names whatever else it is, or is in it.
fn names(name: &str, value: Told, items: Told, wanted: &str, mistakes: &mut Vec<String>) -> Vec<String> {
    let mut names = Vec::new();
    if !value.is(kind::LIST) {
        mistakes.push(fault(WHO, name, value, wanted));
        return names;
    }
    for (_, item) in items.entries() {
        if item.string().is_empty() {
            mistakes.push(fault(WHO, name, item, wanted));
        } else {
            names.push(cut(item.string()).to_owned());
        }
    }
    names
}

/// How long properties may be altogether, in bytes.
const PROPERTIES_LIMIT: usize = 4096;

/// Reads an object of strings, numbers and booleans; names whatever else is in it.
pub fn scalars(who: &str, name: &str, told: Told, mistakes: &mut Vec<String>) -> Fields {
    let mut fields = Fields::default();
    if !told.is(kind::OBJECT) {
        mistakes.push(fault(who, name, told, "an object"));
        return fields;
    }
    let mut size = 0;
    for (key, value) in told.entries() {
        let key = cut(key);
        // Tools refuse events of more than 32 KB.
        size += key.len() + cut(value.text).len();
        if size > PROPERTIES_LIMIT {
            mistakes.push(join(&[who, " `", name, "` is longer than 4096 bytes, the rest is left out"]));
            break;
        }
        // `NaN` and `Infinity` are spelled with letters only.
        let finite = value.text.contains(|letter: char| letter.is_ascii_digit());
        match value.kind {
            kind::TEXT => fields.put(key, &quoted(cut(value.text))),
            kind::BOOL => fields.put(key, value.text),
            kind::NUMBER if finite => fields.put(key, value.text),
            kind::MISSING | kind::NULL => {}
            _ => {
                let part = join(&[name, ".", key]);
                mistakes.push(fault(who, &part, value, "a string, a number or a boolean"));
            }
        }
    }
    fields
}

/// `"a" or "b"`
pub fn one_of(names: &[&str]) -> String {
    let mut list = String::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let or = if list.is_empty() { "\"" } else { " or \"" };
        list += &join(&[or, name, "\""]);
    }
    list
}

/// A write key becomes part of a URL, so nothing but these characters.
fn is_write_key(key: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !key.is_empty() && key.len() <= 128 && key.bytes().all(good)
}

/// A script is loaded from here: `https:` from anywhere the page names, `http:` from this machine.
fn is_cdn_url(url: &str) -> bool {
    let clean = |byte: u8| byte.is_ascii_graphic() && !b"\\\"'<>`@?#".contains(&byte);
    let (https, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return false,
    };
    let host = rest.split('/').next().unwrap_or_default();
    let (name, port) = match host.split_once(']') {
        Some((address, port)) => (host.get(..=address.len()).unwrap_or_default(), port),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let clean_port =
        port.is_empty() || port.starts_with(':') && whole(port.get(1..).unwrap_or_default()).is_some();
    let loopback = name == "localhost" || name == "[::1]" || is_loopback(name);
    url.len() < 2000 && url.bytes().all(clean) && clean_port && !name.is_empty() && (https || loopback)
}

fn is_loopback(name: &str) -> bool {
    let mut parts = 0;
    let numbers = name.split('.').all(|part| {
        parts += 1;
        whole(part).is_some_and(|number| number < 256.0)
    });
    numbers && parts == 4 && name.starts_with("127.")
}
