//! What is kept in the browser between pages, and how it is spelled. All names begin with
//! [`PREFIX`]; each decision has a key of its own, so that the cost of the next one does not grow
//! with how many there were, and two tabs never overwrite each other.

use crate::destination::Destination;
use crate::options::Dedupe;
use crate::value::decimal;

/// With this the names of all our entries begin. The number is the version of their format.
pub const PREFIX: &str = "decision-bridge/1/";

/// How long a page that did not say goodbye is given before others take over what it held, in ms.
pub const ABANDONED_MS: f64 = 60_000.0;

/// A name in the browser's storage.
pub fn name(parts: &[&str]) -> String {
    [PREFIX, &parts.concat()].concat()
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
pub struct Memory {
    marks: Vec<(Destination, Mark)>,
}

impl Memory {
    /// Reads an entry. One of another period, or one that is not ours, says nothing.
    pub fn parse(entry: &str, period: &str) -> Memory {
        let mut lines = entry.split('\n');
        let mut memory = Memory::default();
        if lines.next() != Some(period) {
            return memory;
        }
        for line in lines {
            let mut words = line.split(' ');
            let destination = words.next().unwrap_or_default();
            let destination = Destination::ALL.into_iter().find(|it| it.name() == destination);
            let occurrence = words.next().and_then(|word| word.parse().ok());
            let outcome = words.next();
            if let (Some(destination), Some(occurrence), Some(outcome)) = (destination, occurrence, outcome) {
                memory.marks.push((destination, Mark { outcome: outcome.to_owned(), occurrence }));
            }
        }
        memory
    }

    /// The entry as it is stored.
    pub fn entry(&self, period: &str) -> String {
        let mut entry = period.to_owned();
        for (destination, mark) in &self.marks {
            let occurrence = decimal(u64::from(mark.occurrence));
            entry.push_str(&["\n", destination.name(), " ", &occurrence, " ", &mark.outcome].concat());
        }
        entry
    }

    /// The mark for a destination.
    pub fn mark(&self, destination: Destination) -> Option<&Mark> {
        self.marks.iter().find(|(known, _)| *known == destination).map(|(_, mark)| mark)
    }

    /// Sets the mark for a destination, or takes it away.
    pub fn set(&mut self, destination: Destination, mark: Option<Mark>) {
        self.marks.retain(|(known, _)| *known != destination);
        self.marks.extend(mark.map(|mark| (destination, mark)));
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
    /// The running session, or none when it has ended or never began. A clock that was set back
    /// does not end it.
    pub fn running(entry: Option<&str>, now: f64, timeout: f64) -> Option<Session> {
        let (id, last) = entry?.split_once(' ')?;
        let last = last.parse::<u64>().ok()? as f64;
        let good = !id.is_empty() && id.len() <= 64 && now - last <= timeout;
        good.then(|| Session { id: id.to_owned(), last })
    }

    /// The entry as it is stored.
    pub fn entry(&self) -> String {
        [&self.id, " ", &decimal(self.last as u64)].concat()
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

/// Which of the items in storage a page may take over: those of pages that said goodbye, and
/// those that nobody touched for [`ABANDONED_MS`]. `names` are the names of all our entries,
/// without [`PREFIX`]; the answer is in the order in which the items were written.
pub fn left_behind<'a>(names: &'a [String], own_page: &str, is_old: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let mut found: Vec<(&str, u32, &str)> = names
        .iter()
        .filter_map(|name| {
            let (page, number) = name.strip_prefix("out/")?.split_once('/')?;
            let number = number.parse().ok()?;
            let said_goodbye = || names.iter().any(|name| name.strip_prefix("left/") == Some(page));
            (page != own_page && (said_goodbye() || is_old(name))).then_some((page, number, &**name))
        })
        .collect();
    // A handful at most: straight insertion costs less to ship than a sort.
    for end in 1..found.len() {
        let mut at = end;
        while let (Some(left), Some(right)) = (found.get(at.wrapping_sub(1)), found.get(at)) {
            if (left.0, left.1) <= (right.0, right.1) {
                break;
            }
            found.swap(at - 1, at);
            at -= 1;
        }
    }
    found.into_iter().map(|(.., name)| name).collect()
}
