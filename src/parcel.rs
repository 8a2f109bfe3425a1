//! Items and parcels: a decision in the outbox, with one parcel for each destination; and how it
//! is written down, so that the next page can take it over.

use crate::decision::{Decision, Kind, Named, Page, Verdict};
use crate::destination::{Destination, State};
use crate::gate::{Hold, Marks};
use crate::source::Source;
use crate::value::{Value, decimal};

/// A decision in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its number on this page.
    pub id: u32,
    /// The decision.
    pub decision: Decision,
    /// Its dedupe key.
    pub key: String,
    /// Its outcome.
    pub outcome: String,
    /// One parcel for each destination it goes to.
    pub parcels: Vec<Parcel>,
    /// How it is marked.
    pub marks: Marks,
    /// When it came in, in ms since the epoch. From then on it may wait.
    pub received_at: f64,
    /// Whether an earlier page left it to us.
    pub carried: bool,
    /// Why it may not go yet.
    pub hold: Option<Hold>,
    /// Whether it is written down.
    pub stored: bool,
    /// What the clock of running time said when it came to this page.
    pub arrived: f64,
    /// In which round it came.
    pub arrived_in: u32,
    /// Whether it has waited as long as it may on this page.
    pub parked: bool,
}

/// What goes to one destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// Where to.
    pub destination: Destination,
    /// How many changes of variation came before it, plus one.
    pub occurrence: u32,
    /// The idempotency key.
    pub message_id: String,
    /// Whether it was handed over on this page, and to what.
    pub handed: Handed,
    /// How often handing over failed.
    pub failures: u8,
    /// Whether it was compared with the memory in this round.
    pub recalled_in: u32,
    /// What the clock of running time said when the real tool took over from the stub.
    pub taken_at: Option<f64>,
    /// In which state its destination was last seen.
    pub seen: Option<State>,
    /// How it ended, if it has.
    pub end: Option<Verdict>,
}

/// To what a parcel was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// To nothing yet, or it is just being handed over.
    No,
    /// To a stub, which may never load.
    Stub,
    /// To the real tool.
    Tool,
}

const VERSION: &str = "1";

impl Item {
    /// Whether a parcel waits for its destination.
    pub fn is_waiting(&self) -> bool {
        self.parcels.iter().any(Parcel::is_waiting)
    }

    /// Whether it has to wait for the next round: Optimizely redirects in the very task in which it
    /// decides, and writes its redirect cookie after it told us.
    pub fn is_fresh(&self, round: u32) -> bool {
        self.decision.may_redirect && self.arrived_in == round && self.is_waiting()
    }

    /// Writes the item down: fields one after the other, each behind its length.
    pub fn record(&self) -> String {
        let decision = &self.decision;
        let mut out = Writer::default();
        out.text(VERSION);
        out.moment(self.received_at);
        out.text(decision.source.name());
        out.text(&decision.label);
        out.flag(decision.kind == Kind::Personalization);
        out.text(&decision.project);
        out.named(&decision.campaign);
        out.named(&decision.experiment);
        out.named(&decision.variation);
        out.flag(decision.holdback);
        out.text(&decision.unit);
        out.count(decision.audiences.len());
        for audience in &decision.audiences {
            out.named(audience);
        }
        out.moment(decision.decided_at);
        out.text(&decision.referrer);
        out.text(decision.event_name.as_deref().unwrap_or_default());
        out.count(decision.properties.len());
        for (name, value) in &decision.properties {
            out.text(name);
            match value {
                Value::Bool(flag) => out.text(if *flag { "b1" } else { "b0" }),
                Value::Number(number) => out.text(&["n", &decimal(number.to_bits())].concat()),
                Value::Text(text) => out.text(&["t", text].concat()),
                _ => out.text("-"),
            }
        }
        for text in [&decision.page.url, &decision.page.path, &decision.page.title] {
            out.text(text);
        }
        out.flag(self.marks.qa);
        out.flag(self.marks.preview);
        let open = || self.parcels.iter().filter(|parcel| parcel.is_open());
        out.count(open().count());
        for parcel in open() {
            out.text(parcel.destination.name());
            out.count(parcel.occurrence as usize);
            out.text(&parcel.message_id);
        }
        out.0
    }

    /// Reads a record. What another script may have left there instead is no item.
    pub fn from_record(record: &str) -> Option<Item> {
        let mut fields = Reader(record);
        if fields.text()? != VERSION {
            return None;
        }
        let received_at = fields.moment()?;
        let source = fields.text()?;
        let source = [Source::Direct, Source::OptimizelyWeb].into_iter().find(|it| it.name() == source)?;
        let label = fields.text()?.to_owned();
        let kind = if fields.flag()? { Kind::Personalization } else { Kind::Experiment };
        let project = fields.text()?.to_owned();
        let campaign = fields.named()?;
        let experiment = fields.named()?;
        let variation = fields.named()?;
        let holdback = fields.flag()?;
        let unit = fields.text()?.to_owned();
        let audiences = (0..fields.count()?).map(|_| fields.named()).collect::<Option<_>>()?;
        let decided_at = fields.moment()?;
        let referrer = fields.text()?.to_owned();
        let event_name = Some(fields.text()?).filter(|name| !name.is_empty()).map(str::to_owned);
        let properties = (0..fields.count()?).map(|_| fields.property()).collect::<Option<_>>()?;
        let url = fields.text()?.to_owned();
        let path = fields.text()?.to_owned();
        let title = fields.text()?.to_owned();
        let marks = Marks { qa: fields.flag()?, preview: fields.flag()? };
        let parcels = (0..fields.count()?).map(|_| fields.parcel()).collect::<Option<Vec<_>>>()?;
        let decision = Decision {
            source,
            label,
            kind,
            project,
            campaign,
            experiment,
            variation,
            holdback,
            unit,
            audiences,
            decided_at,
            referrer,
            event_name,
            properties,
            page: Page { url, path, title },
            ..Decision::default()
        };
        let complete = !decision.experiment.identity().is_empty()
            && !decision.variation.identity().is_empty()
            && !parcels.is_empty()
            && fields.0.is_empty();
        complete.then(|| Item {
            id: 0,
            key: decision.key(),
            outcome: decision.outcome(),
            decision,
            parcels,
            marks,
            received_at,
            carried: true,
            hold: None,
            stored: false,
            arrived: 0.0,
            arrived_in: 0,
            parked: false,
        })
    }
}

#[derive(Default)]
struct Writer(String);

impl Writer {
    fn text(&mut self, text: &str) {
        self.0.push_str(&decimal(text.len() as u64));
        self.0.push(':');
        self.0.push_str(text);
    }

    fn flag(&mut self, flag: bool) {
        self.text(if flag { "1" } else { "" });
    }

    fn count(&mut self, count: usize) {
        self.text(&decimal(count as u64));
    }

    fn moment(&mut self, moment: f64) {
        self.text(&decimal(moment as u64));
    }

    fn named(&mut self, named: &Named) {
        self.text(&named.id);
        self.text(&named.key);
        self.text(&named.name);
    }
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    /// No count of ours comes near it; a larger one is somebody else's.
    const MOST: usize = 1000;

    fn text(&mut self) -> Option<&'a str> {
        let (length, rest) = self.0.split_once(':')?;
        let (text, rest) = rest.split_at_checked(length.parse().ok()?)?;
        self.0 = rest;
        Some(text)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.text()? == "1")
    }

    fn count(&mut self) -> Option<usize> {
        self.text()?.parse().ok().filter(|count| *count <= Reader::MOST)
    }

    fn moment(&mut self) -> Option<f64> {
        self.text()?.parse::<u64>().ok().map(|moment| moment as f64)
    }

    fn named(&mut self) -> Option<Named> {
        Some(Named {
            id: self.text()?.to_owned(),
            key: self.text()?.to_owned(),
            name: self.text()?.to_owned(),
        })
    }

    fn property(&mut self) -> Option<(String, Value)> {
        let name = self.text()?.to_owned();
        let value = self.text()?;
        let value = match value.split_at_checked(1)? {
            ("b", flag) => Value::Bool(flag == "1"),
            ("n", bits) => Value::Number(f64::from_bits(bits.parse().ok()?)),
            ("t", text) => Value::text(text),
            _ => return None,
        };
        Some((name, value))
    }

    fn parcel(&mut self) -> Option<Parcel> {
        let destination = self.text()?;
        let destination = Destination::ALL.into_iter().find(|it| it.name() == destination)?;
        let occurrence = self.text()?.parse().ok()?;
        let message_id = self.text()?;
        (message_id.len() <= 100).then(|| Parcel::new(destination, occurrence, message_id.to_owned()))
    }
}

impl Parcel {
    /// A parcel that was not handed over yet.
    pub fn new(destination: Destination, occurrence: u32, message_id: String) -> Parcel {
        Parcel {
            destination,
            occurrence,
            message_id,
            handed: Handed::No,
            failures: 0,
            recalled_in: 0,
            taken_at: None,
            seen: None,
            end: None,
        }
    }

    /// Whether it has not ended yet.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether it waits to be handed over.
    pub fn is_waiting(&self) -> bool {
        self.is_open() && self.handed == Handed::No
    }

    /// Whether its destination has to be looked for: to hand over, or to see whether the real
    /// tool has taken over from the stub.
    pub fn needs_looking(&self) -> bool {
        self.is_open() && (self.handed != Handed::Tool || self.taken_at.is_some())
    }
}
