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
    texts: [String; 3],
    numbers: [f64; 4],
    choices: [u8; 7],
    /// Properties added to each exposure.
    pub properties: Fields,
    /// The site's own QA signals.
    pub qa_signals: Vec<QaSignal>,
    /// The sources to look for, a bit for each; none means all that can be found.
    pub sources: Option<u32>,
    /// The destinations to deliver to, a bit for each; none means all.
    pub destinations: Option<u32>,
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

/// What an option may be, and where it is kept.
#[derive(Clone, Copy)]
enum Spec {
    Text(usize, &'static str),
    Number(usize, f64, f64, f64, &'static str),
    Choice(usize, &'static [&'static str]),
    Flag(usize),
    Properties,
    QaSignals,
    Sources,
    Destinations,
    /// An object that is read by what it is for.
    Object,
    /// Of the contract, but not in this version yet.
    Planned,
}

const WRITE_KEY: usize = 0;
const CDN_URL: usize = 1;
const EVENT_NAME: usize = 2;

const DEDUPE: usize = 0;
const PREVIEW: usize = 1;
const QA: usize = 2;
const HOLDBACK: usize = 3;
const CASE: usize = 4;
const REQUIRE_CONSENT: usize = 5;
const DEBUG: usize = 6;

/// The first of the choices is the default, except for `qa`.
const TREATMENTS: &[&str] = &["drop", "mark", "send"];

const SPECS: [(&str, Spec); 24] = {
    use Spec::{Choice, Destinations, Flag, Number, Object, Planned, Properties, QaSignals, Sources, Text};
    [
        ("writeKey", Text(WRITE_KEY, "letters, digits, _ and -")),
        ("cdnUrl", Text(CDN_URL, "an https: URL, or http: on a loopback host, without query")),
        ("eventName", Text(EVENT_NAME, "a string that is not empty")),
        ("propertyCase", Choice(CASE, &["auto", "camelCase", "snake_case"])),
        ("properties", Properties),
        ("sources", Sources),
        ("sourceOptions", Object),
        ("destinations", Destinations),
        ("pollIntervalMs", Number(0, 250.0, 10.0, 60_000.0, "a number of 10 to 60000")),
        ("maxWaitMs", Number(1, 5000.0, 0.0, 600_000.0, "a number of 0 to 600000")),
        ("carryOverMs", Number(2, 1_800_000.0, 0.0, f64::MAX, "a number of 0 or more")),
        ("dedupe", Choice(DEDUPE, &["session", "page", "tab", "visitor", "none"])),
        ("sessionTimeoutMs", Number(3, 1_800_000.0, 1000.0, f64::MAX, "a number of 1000 or more")),
        ("preview", Choice(PREVIEW, TREATMENTS)),
        ("qa", Choice(QA, TREATMENTS)),
        ("qaSignals", QaSignals),
        ("holdback", Choice(HOLDBACK, &["auto", "drop", "send"])),
        ("requireConsent", Flag(REQUIRE_CONSENT)),
        ("debug", Flag(DEBUG)),
        ("identify", Planned),
        ("alias", Planned),
        ("statsig", Planned),
        ("destinationOptions", Planned),
        ("forwardEvents", Planned),
    ]
};

const WHO: &str = "init: option";

impl Default for Options {
    fn default() -> Options {
        let mut options = Options {
            texts: Default::default(),
            numbers: [0.0; 4],
            choices: [0; 7],
            properties: Fields::default(),
            qa_signals: Vec::new(),
            sources: None,
            destinations: None,
        };
        for (_, spec) in SPECS {
            if let Spec::Number(at, default, ..) = spec {
                set(&mut options.numbers, at, default);
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
        self.choice(REQUIRE_CONSENT) > 0
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

    fn choice(&self, at: usize) -> u8 {
        self.choices.get(at).copied().unwrap_or_default()
    }

    /// Reads the options the page passed to `init`. Each fault is one text in `mistakes`.
    pub fn parse(view: &impl View, mistakes: &mut Vec<String>) -> Options {
        let mut options = Options::default();
        let all = view.pick(
            "* qaSignals.params.* qaSignals.cookies.* properties.* sources.* destinations.* qaSignals.*",
            "",
        );
        let told = all.at(0);
        if !matches!(told.kind, kind::OBJECT | kind::MISSING | kind::NULL) {
            mistakes.push(join(&["init: the options are ", &told.spelled(), ", must be an object"]));
        }
        for (name, value) in told.entries().filter(|_| told.is(kind::OBJECT)) {
            match SPECS.iter().find(|(known, _)| *known == name) {
                // As good as not given.
                _ if value.is(kind::MISSING) => {}
                Some((name, spec)) => options.take(name, *spec, value, &all, mistakes),
                None => mistakes.push(join(&[WHO, " `", cut(name), "` is not known"])),
            }
        }
        if !options.cdn_url().is_empty() && options.write_key().is_empty() {
            mistakes.push("init: option `cdnUrl` is of no use without `writeKey`".to_owned());
        }
        options
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
                if let Some(choice) = names.iter().position(|name| *name == value.string()) {
                    set(&mut self.choices, at, choice as u8);
                    return;
                }
                one_of(names)
            }
            Spec::Flag(at) => {
                if value.is(kind::BOOL) {
                    set(&mut self.choices, at, u8::from(value.is_true()));
                    return;
                }
                "true or false".to_owned()
            }
            Spec::Properties => {
                self.properties =
                    scalars(WHO, name, if value.is(kind::OBJECT) { all.at(3) } else { value }, mistakes);
                return;
            }
            Spec::QaSignals if value.is(kind::OBJECT) => {
                self.take_qa_signals(false, all.at(1), mistakes);
                self.take_qa_signals(true, all.at(2), mistakes);
                for (name, _) in
                    all.at(6).entries().filter(|(name, _)| *name != "params" && *name != "cookies")
                {
                    mistakes.push(join(&[WHO, " `qaSignals.", cut(name), "` is not known"]));
                }
                return;
            }
            Spec::QaSignals => "an object {params: [], cookies: []}".to_owned(),
            Spec::Sources => {
                // The first source is told by calls only: there is nothing to look for.
                let known = Source::ALL.map(Source::name);
                self.sources = kinds(name, value, all.at(4), &known, 1, mistakes);
                return;
            }
            Spec::Destinations => {
                let known = Destination::ALL.map(Destination::name);
                self.destinations = kinds(name, value, all.at(5), &known, 0, mistakes);
                return;
            }
            Spec::Object if value.is(kind::OBJECT) => return,
            Spec::Object => "an object".to_owned(),
            Spec::Planned => {
                // What asks for nothing is no mistake.
                if !value.is(kind::NULL) && value.text != "false" {
                    mistakes.push(join(&[WHO, " `", name, "` is not available in this version yet"]));
                }
                return;
            }
        };
        mistakes.push(fault(WHO, name, value, &wanted));
    }

    fn take_qa_signals(&mut self, cookie: bool, told: Told, mistakes: &mut Vec<String>) {
        const WANTED: &str = "a list of names or name=value pairs";
        let part = if cookie { "qaSignals.cookies" } else { "qaSignals.params" };
        if !matches!(told.kind, kind::LIST | kind::MISSING) {
            mistakes.push(fault(WHO, part, told, WANTED));
            return;
        }
        for (_, entry) in told.entries() {
            if entry.string().is_empty() {
                mistakes.push(fault(WHO, part, entry, WANTED));
            } else {
                self.qa_signals.push(QaSignal { cookie, entry: entry.string().to_owned() });
            }
        }
    }

    /// The options in force, for the report. The write key is shortened.
    pub fn shown(&self) -> Fields {
        let mut fields = Fields::default();
        for (name, spec) in SPECS {
            match spec {
                Spec::Text(WRITE_KEY, _) => {
                    let key = self.write_key();
                    let start = key.get(..4).unwrap_or(key);
                    fields.text_or_null(
                        name,
                        &if key.is_empty() { String::new() } else { join(&[start, "…"]) },
                    );
                }
                Spec::Text(at, _) => fields.text_or_null(name, text(&self.texts, at)),
                Spec::Number(at, ..) => fields.number(name, self.number(at)),
                Spec::Choice(at, names) => {
                    fields.text(name, names.get(usize::from(self.choice(at))).copied().unwrap_or_default());
                }
                Spec::Flag(at) => fields.flag(name, self.choice(at) > 0),
                Spec::Properties => fields.put(name, &self.properties.json()),
                Spec::QaSignals => {
                    fields.put(name, &list(self.qa_signals.iter().map(|it| quoted(&it.entry))));
                }
                Spec::Sources if self.sources.is_none() => fields.text(name, "auto"),
                Spec::Sources => {
                    let named = Source::ALL.into_iter().filter(|it| self.names(*it));
                    fields.put(name, &list(named.map(|it| quoted(it.name()))));
                }
                Spec::Destinations => {
                    fields.put(name, &list(self.destinations().map(|it| quoted(it.name()))));
                }
                Spec::Object | Spec::Planned => {}
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

/// Reads an object of strings, numbers and booleans; names whatever else is in it.
pub fn scalars(who: &str, name: &str, told: Told, mistakes: &mut Vec<String>) -> Fields {
    let mut fields = Fields::default();
    if !told.is(kind::OBJECT) {
        mistakes.push(fault(who, name, told, "an object"));
        return fields;
    }
    for (key, value) in told.entries() {
        let key = cut(key);
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
    for name in names {
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
