//! `Options`: what the page asks of us, parsed once. A faulty option is named and falls back to
//! its default; the rest works.

use crate::decision::cut;
use crate::destination::Destination;
use crate::source::Source;
use crate::value::{Fields, Value};
use crate::view::{Kind, View};

/// The options of `init`, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Segment write key. With it, and without `window.analytics`, analytics.js is loaded.
    pub write_key: Option<String>,
    /// Where analytics.js is loaded from, without a slash at the end.
    pub cdn_url: Option<String>,
    /// The event name of exposures; by default each source has its own.
    pub event_name: Option<String>,
    /// How property names are spelled; by default each source has its own way.
    pub property_case: Option<Case>,
    /// Properties added to each exposure.
    pub properties: Fields,
    /// The sources to look for; none means all that can be found.
    pub sources: Option<Vec<Source>>,
    /// The destinations to deliver to.
    pub destinations: Vec<Destination>,
    /// How often a missing destination is looked for, in ms.
    pub poll_interval_ms: f64,
    /// How long a missing destination is looked for on this page, in ms.
    pub max_wait_ms: f64,
    /// How long an undelivered decision may wait, across pages, in ms; 0 means this page only.
    pub carry_over_ms: f64,
    /// Within which scope the same decision is a duplicate.
    pub dedupe: Dedupe,
    /// After how many ms without a page or decision a session ends.
    pub session_timeout_ms: f64,
    /// What becomes of decisions made in preview mode.
    pub preview: Treatment,
    /// What becomes of decisions made in QA.
    pub qa: Treatment,
    /// The site's own QA signals.
    pub qa_signals: Vec<QaSignal>,
    /// What becomes of holdback decisions; by default it depends on the kind of decision.
    pub holdback: Option<Treatment>,
    /// Whether everything waits for `consent(true)`.
    pub require_consent: bool,
    /// Whether each step of each decision is logged.
    pub debug: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            write_key: None,
            cdn_url: None,
            event_name: None,
            property_case: None,
            properties: Fields::new(),
            sources: None,
            destinations: Destination::ALL.to_vec(),
            poll_interval_ms: 250.0,
            max_wait_ms: 5000.0,
            carry_over_ms: 1_800_000.0,
            dedupe: Dedupe::Session,
            session_timeout_ms: 1_800_000.0,
            preview: Treatment::Drop,
            qa: Treatment::Mark,
            qa_signals: Vec::new(),
            holdback: None,
            require_consent: false,
            debug: false,
        }
    }
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

/// A query parameter or cookie that marks the site's own QA: `name` or `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QaSignal {
    /// Whether it is a cookie.
    pub cookie: bool,
    /// Its name.
    pub name: String,
    /// The value it must have, if not any.
    pub value: Option<String>,
}

impl QaSignal {
    fn parse(text: &str, cookie: bool) -> QaSignal {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        QaSignal { cookie, name: name.to_owned(), value }
    }

    /// How the report names it.
    pub fn shown(&self) -> String {
        [self.name.as_str(), if self.cookie { " (cookie)" } else { " (query)" }].concat()
    }
}

const DEDUPE: [(&str, Dedupe); 5] = [
    ("session", Dedupe::Session),
    ("page", Dedupe::Page),
    ("tab", Dedupe::Tab),
    ("visitor", Dedupe::Visitor),
    ("none", Dedupe::None),
];
const TREATMENTS: [(&str, Treatment); 3] =
    [("drop", Treatment::Drop), ("mark", Treatment::Mark), ("send", Treatment::Send)];
const HOLDBACK: [(&str, Option<Treatment>); 3] =
    [("auto", None), ("send", Some(Treatment::Send)), ("drop", Some(Treatment::Drop))];
const CASES: [(&str, Case); 2] = [("camelCase", Case::Camel), ("snake_case", Case::Snake)];

/// Options of the contract that this version does not have yet, with the values that ask for
/// nothing.
const PLANNED: [&str; 5] = ["identify", "alias", "statsig", "destinationOptions", "forwardEvents"];

impl Options {
    /// Reads the options the page passed to `init`. Each fault is one text in `mistakes`.
    pub fn parse<V: View>(view: Option<&V>, mistakes: &mut Vec<String>) -> Options {
        let mut options = Options::default();
        let Some(view) = view.filter(|view| !matches!(view.kind(), Kind::Other | Kind::Null)) else {
            return options;
        };
        if view.kind() != Kind::Object {
            let came = view.spelled();
            mistakes.push(["init: the options are ", &came, ", must be an object"].concat());
            return options;
        }
        for name in view.keys() {
            let Some(value) = view.own(&name) else {
                continue;
            };
            let mut at = At { mistakes, name: &name, value: &value };
            options.take(&name, &mut at);
        }
        if options.cdn_url.is_some() && options.write_key.is_none() {
            mistakes.push("init: option `cdnUrl` is of no use without `writeKey`".to_owned());
        }
        options
    }

    fn take<V: View>(&mut self, name: &str, at: &mut At<V>) {
        match name {
            "writeKey" => at.set(&mut self.write_key, "letters, digits, _ and -", write_key),
            "cdnUrl" => at.set(
                &mut self.cdn_url,
                "an https: URL, or http: on a loopback host, without query",
                cdn_url,
            ),
            "eventName" => at.set(&mut self.event_name, "a string that is not empty", |view| {
                Some(Some(cut(&view.string().filter(|name| !name.trim().is_empty())?)))
            }),
            "propertyCase" => at.choose(&mut self.property_case, &CASES.map(|(n, c)| (n, Some(c)))),
            "properties" => {
                self.properties = scalars("init: option", name, at.value, at.mistakes);
            }
            "sources" => self.sources = at.list(&Source::LISTED, Source::name, &Source::PLANNED),
            "destinations" => {
                let list = at.list(&Destination::ALL, Destination::name, &Destination::PLANNED);
                self.destinations = list.unwrap_or_else(|| Destination::ALL.to_vec());
            }
            "pollIntervalMs" => at.number(&mut self.poll_interval_ms, 10.0, 60_000.0, "10 to 60000"),
            "maxWaitMs" => at.number(&mut self.max_wait_ms, 0.0, 600_000.0, "0 to 600000"),
            "carryOverMs" => at.number(&mut self.carry_over_ms, 0.0, f64::MAX, "0 or more"),
            "sessionTimeoutMs" => {
                at.number(&mut self.session_timeout_ms, 1000.0, f64::MAX, "1000 or more");
            }
            "dedupe" => at.choose(&mut self.dedupe, &DEDUPE),
            "preview" => at.choose(&mut self.preview, &TREATMENTS),
            "qa" => at.choose(&mut self.qa, &TREATMENTS),
            "holdback" => at.choose(&mut self.holdback, &HOLDBACK),
            "qaSignals" => self.qa_signals = at.qa_signals(),
            "requireConsent" => at.set(&mut self.require_consent, "true or false", View::flag),
            "debug" => at.set(&mut self.debug, "true or false", View::flag),
            _ if PLANNED.contains(&name) => {
                let off = at.value.flag() == Some(false)
                    || at.value.kind() == Kind::Null
                    || (at.value.kind() == Kind::Object && at.value.keys().is_empty());
                if !off {
                    at.mistakes
                        .push(["init: option `", name, "` is not available in this version yet"].concat());
                }
            }
            _ => at.mistakes.push(["init: option `", &cut(name), "` is not known"].concat()),
        }
    }

    /// The options in force, for the report. The write key is shortened.
    pub fn shown(&self) -> Value {
        let name_of = |list: &[Destination]| Value::list(list.iter().map(|it| Value::text(it.name())));
        let treatment = |value: Treatment| Value::maybe(spelling(&TREATMENTS, value));
        let key = self.write_key.as_deref().map(|key| {
            let shown: String = key.chars().take(4).collect();
            [&shown, "…"].concat()
        });
        let fields = [
            ("writeKey", Value::maybe(key.as_deref())),
            ("cdnUrl", Value::maybe(self.cdn_url.as_deref())),
            ("eventName", Value::maybe(self.event_name.as_deref())),
            ("propertyCase", Value::maybe(self.property_case.and_then(|case| spelling(&CASES, case)))),
            ("properties", Value::Object(self.properties.clone())),
            (
                "sources",
                match &self.sources {
                    None => Value::text("auto"),
                    Some(list) => Value::list(list.iter().map(|it| Value::text(it.name()))),
                },
            ),
            ("destinations", name_of(&self.destinations)),
            ("pollIntervalMs", Value::Number(self.poll_interval_ms)),
            ("maxWaitMs", Value::Number(self.max_wait_ms)),
            ("carryOverMs", Value::Number(self.carry_over_ms)),
            ("dedupe", Value::maybe(spelling(&DEDUPE, self.dedupe))),
            ("sessionTimeoutMs", Value::Number(self.session_timeout_ms)),
            ("preview", treatment(self.preview)),
            ("qa", treatment(self.qa)),
            ("qaSignals", Value::list(self.qa_signals.iter().map(|it| Value::Text(it.shown())))),
            ("holdback", Value::maybe(spelling(&HOLDBACK, self.holdback))),
            ("requireConsent", Value::Bool(self.require_consent)),
            ("debug", Value::Bool(self.debug)),
        ];
        Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

fn spelling<T: PartialEq>(table: &[(&'static str, T)], wanted: T) -> Option<&'static str> {
    table.iter().find(|(_, value)| *value == wanted).map(|(name, _)| *name)
}

/// One option on its way in.
struct At<'a, V> {
    mistakes: &'a mut Vec<String>,
    name: &'a str,
    value: &'a V,
}

impl<V: View> At<'_, V> {
    fn fault(&mut self, place: &str, came: &str, wanted: &str) {
        self.mistakes
            .push(["init: option `", self.name, place, "` is ", came, ", must be ", wanted].concat());
    }

    fn set<T>(&mut self, slot: &mut T, wanted: &str, read: impl Fn(&V) -> Option<T>) {
        match read(self.value) {
            Some(value) => *slot = value,
            None => self.fault("", &self.value.spelled(), wanted),
        }
    }

    fn choose<T: Clone>(&mut self, slot: &mut T, table: &[(&str, T)]) {
        let told = self.value.string();
        match table.iter().find(|(name, _)| told.as_deref() == Some(name)) {
            Some((_, value)) => *slot = value.clone(),
            None => {
                let names = one_of(table.iter().map(|(name, _)| *name));
                self.fault("", &self.value.spelled(), &names);
            }
        }
    }

    fn number(&mut self, slot: &mut f64, least: f64, most: f64, range: &str) {
        match self.value.number().filter(|number| (least..=most).contains(number)) {
            Some(number) => *slot = number,
            None => self.fault("", &self.value.spelled(), &["a number of ", range].concat()),
        }
    }

    /// `"auto"`, or a list of kinds. None stands for `"auto"`; so does a list without one good
    /// entry, since that is the default.
    fn list<T: Copy>(
        &mut self,
        known: &[T],
        name: fn(T) -> &'static str,
        planned: &[&str],
    ) -> Option<Vec<T>> {
        if self.value.string().as_deref() == Some("auto") {
            return None;
        }
        if self.value.kind() != Kind::List {
            self.fault("", &self.value.spelled(), "\"auto\" or a list");
            return None;
        }
        let mut list = Vec::new();
        let items = self.value.items();
        let empty = items.is_empty();
        for (place, item) in items.iter().enumerate() {
            let told = item.string().unwrap_or_default();
            if let Some(kind) = known.iter().find(|kind| name(**kind) == told) {
                list.push(*kind);
                continue;
            }
            let place = ["[", &crate::value::decimal(place as u64), "]"].concat();
            let names = one_of(known.iter().map(|kind| name(*kind)));
            let wanted = match planned.contains(&&*told) {
                true => [&names, " (it is not available in this version yet)"].concat(),
                false => names,
            };
            self.fault(&place, &item.spelled(), &wanted);
        }
        (empty || !list.is_empty()).then_some(list)
    }

    fn qa_signals(&mut self) -> Vec<QaSignal> {
        if self.value.kind() != Kind::Object {
            self.fault("", &self.value.spelled(), "an object {params: [], cookies: []}");
            return Vec::new();
        }
        let mut signals = Vec::new();
        for name in self.value.keys() {
            let cookie = name == "cookies";
            if !cookie && name != "params" {
                self.mistakes.push(["init: option `qaSignals.", &cut(&name), "` is not known"].concat());
                continue;
            }
            let Some(list) = self.value.own(&name) else {
                continue;
            };
            let place = [".", &name].concat();
            if list.kind() != Kind::List {
                self.fault(&place, &list.spelled(), "a list of names or name=value pairs");
                continue;
            }
            for item in list.items() {
                match item.string().filter(|text| !text.is_empty()) {
                    Some(text) => signals.push(QaSignal::parse(&text, cookie)),
                    None => self.fault(&place, &item.spelled(), "a list of names or name=value pairs"),
                }
            }
        }
        signals
    }
}

/// Reads an object of strings, numbers and booleans; names whatever else is in it.
pub fn scalars<V: View>(who: &str, name: &str, view: &V, mistakes: &mut Vec<String>) -> Fields {
    let mut fields = Fields::new();
    if view.kind() != Kind::Object {
        let came = view.spelled();
        mistakes.push([who, " `", name, "` is ", &came, ", must be an object"].concat());
        return fields;
    }
    for key in view.keys() {
        let Some(value) = view.own(&key) else {
            continue;
        };
        let number = value.number().filter(|number| number.is_finite());
        match value.kind() {
            Kind::Text => fields.push((cut(&key), Value::Text(cut(&value.text().unwrap_or_default())))),
            Kind::Bool => fields.push((cut(&key), Value::Bool(value.flag() == Some(true)))),
            Kind::Number if number.is_some() => {
                fields.push((cut(&key), Value::Number(number.unwrap_or_default())));
            }
            _ => {
                let came = value.spelled();
                mistakes.push(
                    [who, " `", name, ".", &cut(&key), "` is ", &came]
                        .into_iter()
                        .chain([", must be a string, a number or a boolean"])
                        .collect(),
                );
            }
        }
    }
    fields
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| ["\"", name, "\""].concat()).collect();
    quoted.join(" or ")
}

/// A write key becomes part of a URL, so nothing but these characters.
fn write_key<V: View>(view: &V) -> Option<Option<String>> {
    let key = view.string()?;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (!key.is_empty() && key.len() <= 128 && key.bytes().all(good)).then_some(Some(key))
}

/// A script is loaded from here: `https:` from anywhere the page names, `http:` from this machine.
fn cdn_url<V: View>(view: &V) -> Option<Option<String>> {
    let url = view.string()?;
    let clean = |c: char| c.is_ascii_graphic() && !"\\\"'<>`@?#".contains(c);
    if url.len() > 2000 || !url.chars().all(clean) {
        return None;
    }
    let url = url.trim_end_matches('/');
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let loopback = name == "localhost" || name == "[::1]" || is_loopback(name);
    let good = match scheme {
        "https" => !name.is_empty(),
        "http" => loopback,
        _ => false,
    };
    good.then(|| Some(url.to_owned()))
}

fn is_loopback(name: &str) -> bool {
    let mut parts = name.split('.');
    parts.next() == Some("127") && parts.clone().count() == 3 && parts.all(|part| part.parse::<u8>().is_ok())
}
