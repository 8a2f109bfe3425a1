//! Items and parcels: a decision in the outbox, with one parcel for each destination; and how it
//! is written down, so that the next page can take it over.

use crate::decision::{Decision, Kind, Text, Verdict};
use crate::destination::{Destination, State};
use crate::gate::{Hold, Marks};
use crate::json::{Fields, decimal, whole};
use crate::source::Source;
use crate::store::{Mark, Memory};

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
    /// The dedupe period it was made in. What is remembered of another one says nothing about it.
    pub period: String,
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
    /// What the steady clock said then.
    pub came_at: f64,
    /// In which round it came.
    pub arrived_in: u32,
    /// Whether it has waited as long as it may on this page.
    pub parked: bool,
    /// Whether its end was told. It stays for destinations that come late.
    pub told: bool,
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
    /// Whether it ever was, on this page or an earlier one.
    pub offered: bool,
    /// How often handing over failed.
    pub failures: u8,
    /// Whether it was compared with the memory in this round.
    pub recalled_in: u32,
    /// What the clock of running time said when the real tool took over from the stub.
    pub taken_at: Option<f64>,
    /// In which state its destination was last seen.
    pub seen: Option<State>,
    /// Whether it came when nothing could be read back from storage.
    pub blind: bool,
    /// Whether its destination was handed something like it before.
    pub known: bool,
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

const VERSION: &str = "2";

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
        for number in [
            self.received_at,
            decision.decided_at,
            decision.source as u8 as f64,
            decision.kind as u8 as f64,
            f64::from(u8::from(decision.holdback)),
            f64::from(u8::from(self.marks.qa)),
            f64::from(u8::from(self.marks.preview)),
        ] {
            out.number(number);
        }
        for text in Text::ALL {
            out.text(decision.get(text));
        }
        out.text(&self.period);
        for parcel in self.parcels.iter().filter(|parcel| parcel.is_open()) {
            out.number(parcel.destination as u8 as f64);
            out.number(f64::from(parcel.occurrence));
            out.text(&parcel.message_id);
            out.number(f64::from(u8::from(parcel.offered)));
        }
        out.0
    }

    /// Reads a record. What another script may have left there instead is no item.
    pub fn from_record(record: &str) -> Option<Item> {
        let mut fields = Reader(record);
        if fields.text()? != VERSION {
            return None;
        }
        let received_at = fields.number()?;
        let decided_at = fields.number()?;
        let source = *Source::ALL.get(fields.number()? as usize)?;
        let mut decision = Decision::new(source, decided_at);
        decision.kind = *Kind::ALL.get(fields.number()? as usize)?;
        decision.holdback = fields.number()? == 1.0;
        let marks = Marks { qa: fields.number()? == 1.0, preview: fields.number()? == 1.0 };
        for text in Text::ALL {
            decision.fill(text, fields.text()?);
        }
        let period = fields.text()?.to_owned();
        let mut parcels = Vec::new();
        while !fields.0.is_empty() {
            let destination = *Destination::ALL.get(fields.number()? as usize)?;
            let occurrence = fields.number()? as u32;
            let message_id = fields.text()?;
            if message_id.len() > 100 || parcels.len() >= Destination::ALL.len() {
                return None;
            }
            let parcel = Parcel::new(destination, occurrence, message_id.to_owned());
            parcels.push(Parcel { offered: fields.number()? == 1.0, ..parcel });
        }
        let complete =
            !decision.experiment().is_empty() && !decision.variation().is_empty() && !parcels.is_empty();
        complete.then(|| Item {
            parcels,
            marks,
            period,
            carried: true,
            ..Item::new(0, decision, received_at)
        })
    }

    /// An item without parcels yet, that came in at `received_at` (ms since the epoch).
    pub fn new(id: u32, decision: Decision, received_at: f64) -> Item {
        Item {
            id,
            key: decision.key(),
            outcome: decision.outcome(),
            decision,
            parcels: Vec::new(),
            marks: Marks::default(),
            period: String::new(),
            received_at,
            carried: false,
            hold: None,
            stored: false,
            arrived: 0.0,
            came_at: 0.0,
            arrived_in: 0,
            parked: false,
            told: false,
        }
    }
}

/// Packs the properties of a decision into one text.
pub fn pack(fields: &Fields) -> String {
    let mut out = Writer::default();
    for (name, json) in &fields.0 {
        out.text(name);
        out.text(json);
    }
    out.0
}

/// Puts packed properties into `fields`. What is no longer readable is left out.
pub fn unpack(packed: &str, fields: &mut Fields) {
    let mut packed = Reader(packed);
    while let (Some(name), Some(json)) = (packed.text(), packed.text()) {
        fields.put(name, json);
    }
}

#[derive(Default)]
struct Writer(String);

impl Writer {
    #[inline(never)]
    fn text(&mut self, text: &str) {
        self.0 += &decimal(text.len() as f64);
        self.0.push(':');
        self.0 += text;
    }

    fn number(&mut self, number: f64) {
        self.text(&decimal(number));
    }
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    #[inline(never)]
    fn text(&mut self) -> Option<&'a str> {
        let (length, rest) = self.0.split_once(':')?;
        let (text, rest) = rest.split_at_checked(whole(length)? as usize)?;
        self.0 = rest;
        Some(text)
    }

    #[inline(never)]
    fn number(&mut self) -> Option<f64> {
        whole(self.text()?)
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
            offered: false,
            failures: 0,
            recalled_in: 0,
            taken_at: None,
            seen: None,
            blind: false,
            known: false,
            end: None,
        }
    }

    /// Takes in what is remembered for its key.
    pub fn remember(&mut self, memory: &Memory) {
        self.known = memory.mark(self.destination).is_some();
    }

    /// What is remembered of it, a parcel of `item`, when it was handed over.
    pub fn mark(&self, item: &Item) -> Mark {
        Mark { outcome: item.outcome.clone(), occurrence: self.occurrence }
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
