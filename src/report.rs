//! The report: what `diagnose()` tells. Every step of a decision leaves a trace here.

use std::collections::VecDeque;

use crate::decision::{Decision, Verdict};
use crate::gate::Hold;
use crate::outbox::Step;
use crate::value::{Fields, Value};

/// How many decisions are told in full, and how many errors and warnings at most.
const RECENT: usize = 50;

/// What has happened on this page so far.
#[derive(Default)]
pub struct Report {
    counts: [u32; Verdict::ALL.len()],
    came: u32,
    recent: VecDeque<Entry>,
    errors: Vec<Noted>,
    warnings: Vec<Noted>,
}

struct Entry {
    id: u32,
    decision: Decision,
    steps: Vec<(f64, Note)>,
    end: Option<(Verdict, String)>,
}

enum Note {
    CameIn,
    Step(Step),
}

struct Noted {
    text: String,
    at: f64,
    times: u32,
}

impl Report {
    /// Opens the record of a decision, at `at` (ms since the epoch), and gives it a number.
    pub fn open(&mut self, decision: &Decision, at: f64) -> u32 {
        self.came += 1;
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Entry {
            id: self.came,
            decision: decision.clone(),
            steps: vec![(at, Note::CameIn)],
            end: None,
        });
        self.came
    }

    /// Notes a step of a decision.
    pub fn step(&mut self, id: u32, step: Step, at: f64) {
        if let Some(entry) = self.entry(id) {
            entry.steps.push((at, Note::Step(step)));
        }
    }

    /// Notes how a decision ended, and gives it back as page code sees it.
    pub fn end(&mut self, id: u32, verdict: Verdict, why: &str) -> Option<Fields> {
        if let Some(at) = Verdict::ALL.iter().position(|known| *known == verdict)
            && let Some(count) = self.counts.get_mut(at)
        {
            *count += 1;
        }
        let entry = self.entry(id)?;
        entry.end = Some((verdict, why.to_owned()));
        Some(entry.shown())
    }

    /// A decision as page code sees it, as long as it is among the recent ones.
    pub fn shown(&self, id: u32) -> Option<Fields> {
        self.recent.iter().rev().find(|entry| entry.id == id).map(Entry::shown)
    }

    /// Notes a mistake. Says whether it is a new one.
    pub fn error(&mut self, text: &str, at: f64) -> bool {
        note(&mut self.errors, text, at)
    }

    /// Notes a circumstance that may cost data. Says whether it is a new one.
    pub fn warn(&mut self, text: &str, at: f64) -> bool {
        note(&mut self.warnings, text, at)
    }

    /// The counts of all verdicts, and of what is still pending.
    pub fn counts(&self) -> Value {
        let ended: u32 = self.counts.iter().sum();
        let counted = Verdict::ALL.iter().map(|verdict| verdict.name()).zip(self.counts);
        let all = counted.chain([("pending", self.came.saturating_sub(ended))]);
        Value::Object(all.map(|(name, count)| (name.to_owned(), Value::Number(f64::from(count)))).collect())
    }

    /// The last decisions, oldest first.
    pub fn decisions(&self) -> Value {
        Value::list(self.recent.iter().map(|entry| Value::Object(entry.told())))
    }

    /// The mistakes.
    pub fn errors(&self) -> Value {
        Value::list(self.errors.iter().map(Noted::told))
    }

    /// The warnings.
    pub fn warnings(&self) -> Value {
        Value::list(self.warnings.iter().map(Noted::told))
    }

    fn entry(&mut self, id: u32) -> Option<&mut Entry> {
        self.recent.iter_mut().rev().find(|entry| entry.id == id)
    }
}

/// The same text again is counted; past the limit nothing new is taken in.
fn note(list: &mut Vec<Noted>, text: &str, at: f64) -> bool {
    if let Some(known) = list.iter_mut().find(|noted| noted.text == text) {
        known.times = known.times.saturating_add(1);
        return false;
    }
    let room = list.len() < RECENT;
    if room {
        list.push(Noted { text: text.to_owned(), at, times: 1 });
    }
    room
}

impl Noted {
    fn told(&self) -> Value {
        let times = Value::Number(f64::from(self.times));
        object([("message", Value::text(&self.text)), ("at", Value::Number(self.at)), ("times", times)])
    }
}

impl Entry {
    fn shown(&self) -> Fields {
        let mut fields = self.decision.shown();
        let (verdict, why) = match &self.end {
            Some((verdict, why)) => (verdict.name(), why.as_str()),
            None => ("pending", ""),
        };
        fields.push(("verdict".to_owned(), Value::text(verdict)));
        crate::value::put_text(&mut fields, "reason", why);
        fields
    }

    fn told(&self) -> Fields {
        let mut fields = self.shown();
        let steps = self.steps.iter().map(|(at, note)| {
            let text = match note {
                Note::CameIn => "came in".to_owned(),
                Note::Step(step) => step.told(),
            };
            object([("at", Value::Number(*at)), ("step", Value::Text(text))])
        });
        fields.push(("steps".to_owned(), Value::list(steps)));
        fields
    }
}

impl Step {
    /// The step in words.
    pub fn told(&self) -> String {
        match self {
            Step::Held(Hold::Consent) => "held: waits for consent".to_owned(),
            Step::Held(Hold::Redirect) => "held: told on the landing page of its redirect".to_owned(),
            Step::Waiting(destination, state) => {
                [destination.name(), " is ", state.name(), ": waits"].concat()
            }
            Step::Parked => "the wait on this page is over: left for the next page".to_owned(),
            Step::Resumed => "taken over from an earlier page".to_owned(),
            Step::Stub(destination) => ["handed to the stub of ", destination.name()].concat(),
            Step::Tool(destination) => ["handed to ", destination.name()].concat(),
            Step::Confirmed(destination) => [destination.name(), " took charge"].concat(),
            Step::Threw(destination, error) => [destination.name(), " threw: ", error].concat(),
        }
    }
}

/// An object of fields with constant names.
pub fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
