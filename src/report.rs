//! The report: what `diagnose()` tells. Every step of a decision leaves a trace here.

use crate::decision::{Decision, Verdict};
use crate::gate::Hold;
use crate::outbox::Step;
use crate::value::{Fields, Value, join};

/// How many decisions are told in full, and how many errors and warnings at most.
const RECENT: usize = 50;

/// What has happened on this page so far.
#[derive(Default)]
pub struct Report {
    counts: [u32; Verdict::NAMES.len()],
    came: u32,
    recent: Vec<Entry>,
    errors: Vec<Noted>,
    warnings: Vec<Noted>,
}

struct Entry {
    id: u32,
    decision: Decision,
    /// The first of them, coming in, is none of the outbox's.
    steps: Vec<(f64, Option<Step>)>,
    end: Option<(Verdict, String)>,
}

struct Noted {
    text: String,
    at: f64,
    times: f64,
}

impl Report {
    /// Opens the record of a decision, at `at` (ms since the epoch), and gives it a number.
    pub fn open(&mut self, decision: &Decision, at: f64) -> u32 {
        self.came += 1;
        if self.recent.len() >= RECENT {
            self.recent.remove(0);
        }
        let steps = vec![(at, None)];
        self.recent.push(Entry { id: self.came, decision: decision.clone(), steps, end: None });
        self.came
    }

    /// Notes a step of a decision.
    pub fn step(&mut self, id: u32, step: Step, at: f64) {
        if let Some(entry) = self.entry(id) {
            entry.steps.push((at, Some(step)));
        }
    }

    /// Notes how a decision ended.
    pub fn end(&mut self, id: u32, verdict: Verdict, why: &str) {
        if let Some(count) = self.counts.get_mut(verdict as usize) {
            *count += 1;
        }
        if let Some(entry) = self.entry(id) {
            entry.end = Some((verdict, why.to_owned()));
        }
    }

    /// A decision as page code sees it, as long as it is among the recent ones.
    pub fn shown(&mut self, id: u32) -> Fields {
        self.entry(id).map(|entry| entry.shown()).unwrap_or_default()
    }

    /// Notes a mistake. Says whether it is a new one.
    pub fn error(&mut self, text: &str, at: f64) -> bool {
        note(&mut self.errors, text, at)
    }

    /// Notes a circumstance that may cost data. Says whether it is a new one.
    pub fn warn(&mut self, text: &str, at: f64) -> bool {
        note(&mut self.warnings, text, at)
    }

    /// Counts, decisions, warnings and errors.
    pub fn told(&self, report: &mut Fields) {
        let mut counts = Fields::default();
        let ended: u32 = self.counts.iter().sum();
        for (name, count) in Verdict::NAMES.iter().zip(self.counts) {
            counts.number(name, f64::from(count));
        }
        counts.number("pending", f64::from(self.came.saturating_sub(ended)));
        report.put("counts", Value::Object(counts));
        let decisions = self.recent.iter().map(|entry| Value::Object(entry.told()));
        report.put("decisions", Value::List(decisions.collect()));
        report.put("warnings", noted(&self.warnings));
        report.put("errors", noted(&self.errors));
    }

    fn entry(&mut self, id: u32) -> Option<&mut Entry> {
        self.recent.iter_mut().find(|entry| entry.id == id)
    }
}

/// The same text again is counted; past the limit nothing new is taken in.
#[inline(never)]
fn note(list: &mut Vec<Noted>, text: &str, at: f64) -> bool {
    if let Some(known) = list.iter_mut().find(|noted| noted.text == text) {
        known.times += 1.0;
        return false;
    }
    let room = list.len() < RECENT;
    if room {
        list.push(Noted { text: text.to_owned(), at, times: 1.0 });
    }
    room
}

#[inline(never)]
fn noted(list: &[Noted]) -> Value {
    let told = |noted: &Noted| {
        let mut fields = Fields::default();
        fields.text("message", &noted.text);
        fields.number("at", noted.at);
        fields.number("times", noted.times);
        Value::Object(fields)
    };
    Value::List(list.iter().map(told).collect())
}

impl Entry {
    fn shown(&self) -> Fields {
        let mut fields = self.decision.shown();
        let (verdict, why) = self.end.as_ref().map_or(("pending", ""), |(it, why)| (it.name(), why));
        fields.text("verdict", verdict);
        fields.text("reason", why);
        fields
    }

    fn told(&self) -> Fields {
        let steps = self.steps.iter().map(|(at, step)| {
            let mut fields = Fields::default();
            fields.number("at", *at);
            fields.text("step", &step.as_ref().map_or("came in".to_owned(), Step::told));
            Value::Object(fields)
        });
        let mut fields = self.shown();
        fields.put("steps", Value::List(steps.collect()));
        fields
    }
}

impl Step {
    /// The step in words.
    pub fn told(&self) -> String {
        let (before, destination, after) = match self {
            Step::Held(Hold::Consent) => return "held: waits for consent".to_owned(),
            Step::Held(Hold::Redirect) => return "held: told on the landing page of its redirect".to_owned(),
            Step::Parked => return "the wait on this page is over: left for the next page".to_owned(),
            Step::Resumed => return "taken over from an earlier page".to_owned(),
            Step::Waiting(destination, state) => {
                return join(&[destination.name(), " is ", state.name(), ": waits"]);
            }
            Step::Threw(destination, error) => return join(&[destination.name(), " threw: ", error]),
            Step::Stub(destination) => ("handed to the stub of ", destination, ""),
            Step::Tool(destination) => ("handed to ", destination, ""),
            Step::Confirmed(destination) => ("", destination, " took charge"),
        };
        join(&[before, destination.name(), after])
    }
}
