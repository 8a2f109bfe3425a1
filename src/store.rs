//! What is kept in the browser between pages, and how it is spelled. All names begin with
//! [`PREFIX`]; each decision has a key of its own, so that the cost of the next one does not grow
//! with how many there were, and two tabs never overwrite each other.

use crate::destination::Destination;
use crate::json::{decimal, join, whole};
use crate::options::Dedupe;

/// With this the names of all our entries begin. The number is the version of their format.
pub const PREFIX: &str = "decision-bridge/1/";

/// How long a page that did not say goodbye is given before others take over what it held, in ms.
pub const ABANDONED_MS: f64 = 60_000.0;

/// A name in the browser's storage.
pub fn name(parts: &[&str]) -> String {
    join(&[PREFIX, &join(parts)])
}

/// What was last handed to a destination for a dedupe key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The outcome of the decision.
    pub outcome: String,
    /// Its occurrence.
    pub occurrence: u32,
}

/// What is remembered for one dedupe key: a mark for each destination, within one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(Vec<(Destination, Mark)>);

impl Memory {
    /// Reads an entry. One of another period, or one that is not ours, says nothing.
    pub fn parse(entry: &str, period: &str) -> Memory {
        let mut memory = Memory::default();
        let Some((of, marks)) = entry.split_once(' ') else { return memory };
        let mut words = marks.split(' ');
        while let (true, Some(name), Some(occurrence), Some(outcome)) =
            (of == period, words.next(), words.next(), words.next())
        {
            let destination = Destination::ALL.into_iter().find(|it| it.name() == name);
            if let (Some(destination), Some(occurrence)) = (destination, whole(occurrence)) {
                memory
                    .0
                    .push((destination, Mark { outcome: outcome.to_owned(), occurrence: occurrence as u32 }));
            }
        }
        memory
    }

    /// The entry as it is stored.
    pub fn entry(&self, period: &str) -> String {
        let mut entry = period.to_owned();
        for (destination, mark) in &self.0 {
            let occurrence = decimal(f64::from(mark.occurrence));
            entry += &join(&[" ", destination.name(), " ", &occurrence, " ", &mark.outcome]);
        }
        entry
    }

    /// The mark for a destination.
    pub fn mark(&self, destination: Destination) -> Option<&Mark> {
        self.0.iter().find(|(known, _)| *known == destination).map(|(_, mark)| mark)
    }

    /// Remembers what was handed over. A mark of something younger stays.
    pub fn remember(&mut self, destination: Destination, mark: Mark) {
        if self.mark(destination).is_none_or(|known| known.occurrence <= mark.occurrence) {
            self.0.retain(|(known, _)| *known != destination);
            self.0.push((destination, mark));
        }
    }

    /// Forgets what was handed over, if it is what is remembered.
    pub fn forget(&mut self, destination: Destination, mark: &Mark) {
        self.0.retain(|(known, its)| *known != destination || its != mark);
    }
}

/// A session as analytics tools count it: it ends when for some time there was neither a page nor
/// a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// When there was last a page or a decision, in ms since the epoch.
    pub last: f64,
}

impl Session {
    /// The id of the running session, or none when it has ended or never began. A clock that was set back
    /// does not end it.
    pub fn running(entry: &str, now: f64, timeout: f64) -> Option<String> {
        let (id, last) = entry.split_once(' ')?;
        let last = whole(last)?;
        let good = !id.is_empty() && id.len() <= 64 && now - last <= timeout;
        good.then(|| id.to_owned())
    }

    /// The entry as it is stored.
    pub fn entry(&self) -> String {
        join(&[&self.id, " ", &decimal(self.last)])
    }
}

/// Where the marks of a dedupe scope are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// In the page's memory only.
    Page,
    /// In sessionStorage.
    Tab,
    /// In localStorage.
    Site,
}

impl Dedupe {
    /// Where the marks of this scope are kept.
    pub fn shelf(self) -> Shelf {
        match self {
            Dedupe::Page | Dedupe::None => Shelf::Page,
            Dedupe::Tab => Shelf::Tab,
            Dedupe::Session | Dedupe::Visitor => Shelf::Site,
        }
    }
}

/// The page that holds the item with this name.
pub fn holder(name: &str) -> &str {
    name.split('/').nth(3).unwrap_or_default()
}

/// The name of an item of a page. Names in alphabetical order are in the order of the items, since
/// a page's id begins with the time it was opened.
pub fn item_name(page: &str, id: u32) -> String {
    let digits = decimal(f64::from(id));
    let zeros = "0000000".get(digits.len()..).unwrap_or_default();
    name(&["out/", page, "/", zeros, &digits])
}
