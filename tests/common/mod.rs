//! What the tests share: what JavaScript does around the core, and builders that read like English.

#![allow(dead_code, reason = "each test file takes its part")]

use decision_bridge::gate::{Decision, Hold, Options, Reason, Verdict};
use decision_bridge::key::Hash;
use decision_bridge::outbox::{Effect, Step};
use decision_bridge::parcel::{Destination, Set, State};
use serde_json::{Value, json};

pub mod world;

/// The moment at which things are decided in tests, unless they say otherwise.
pub const AT: f64 = 1_710_000_000_000.0;

pub const SEGMENT: Destination = 0;
pub const AMPLITUDE: Destination = 1;
pub const MIXPANEL: Destination = 2;

/// The names of the destinations, by their numbers.
pub const NAMES: [&str; 7] =
    ["segment", "amplitude", "mixpanel", "posthog", "rudderstack", "gtag", "dataLayer"];

/// A decision as JavaScript knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    pub campaign: String,
    pub experiment: String,
    pub variation: String,
    pub unit: String,
    pub flags: u32,
}

impl Decided {
    /// What the core knows of it.
    pub fn told(&self) -> Decision {
        let held_back = if self.flags & Decision::HOLDBACK == 0 { "" } else { "holdback" };
        Decision {
            key: hash(&[&self.campaign, &self.experiment, &self.unit]),
            outcome: hash(&[&self.variation, held_back]),
            flags: self.flags,
        }
    }

    pub fn key(&self) -> Hash {
        self.told().key
    }

    pub fn outcome(&self) -> Hash {
        self.told().outcome
    }
}

/// The hash of fields, each behind its length.
pub fn hash<T: AsRef<str>>(fields: &[T]) -> Hash {
    let mut hash = Hash::new();
    for field in fields {
        let field = field.as_ref();
        let length = field.encode_utf16().count().to_string();
        for unit in length.encode_utf16().chain([u16::from(b':')]).chain(field.encode_utf16()) {
            hash.unit(unit.into());
        }
    }
    hash
}

/// A decision of Optimizely's.
pub fn optimizely(experiment: &str, variation: &str) -> Decided {
    let text = str::to_owned;
    Decided {
        campaign: text("c1"),
        experiment: text(experiment),
        variation: text(variation),
        unit: text(""),
        flags: 0,
    }
}

/// The decision, for this visitor.
pub fn of_unit(decided: Decided, unit: &str) -> Decided {
    Decided { unit: unit.to_owned(), ..decided }
}

/// The decision, with one more flag.
pub fn with(decided: Decided, flag: u32) -> Decided {
    Decided { flags: decided.flags | flag, ..decided }
}

/// The decision, for a visitor who is held back.
pub fn held_back(decided: Decided) -> Decided {
    with(decided, Decision::HOLDBACK)
}

/// The decision, told by an event: Optimizely may be about to redirect for it.
pub fn by_event(decided: Decided) -> Decided {
    with(decided, Decision::MAY_REDIRECT)
}

/// What JavaScript makes of `init`'s options: those of the core, the destinations, and whether each
/// page is a dedupe scope of its own.
#[track_caller]
pub fn options(given: Value) -> (Options, Set, bool) {
    let number = |name: &str, default: f64| given.get(name).map_or(default, |it| it.as_f64().expect(name));
    let choice = |name: &str, choices: [&str; 3], default: u32| {
        given.get(name).map_or(default, |it| {
            choices.iter().position(|choice| it == choice).unwrap_or_else(|| panic!("{name}: {it}")) as u32
        })
    };
    let known = [
        "pollIntervalMs",
        "maxWaitMs",
        "carryOverMs",
        "preview",
        "qa",
        "holdback",
        "dedupe",
        "destinations",
        "requireConsent",
    ];
    for name in given.as_object().expect("options").keys() {
        assert!(known.contains(&name.as_str()), "{name} is no option of the core");
    }
    let treatments = ["drop", "mark", "send"];
    let mut flags = choice("preview", treatments, 0)
        | choice("qa", treatments, 1) << 2
        | choice("holdback", ["auto", "drop", "send"], 0) << 4;
    let dedupe = choice("dedupe", ["session", "page", "none"], 0);
    if dedupe == 2 {
        flags |= Options::REPEATS;
    }
    let named = given.get("destinations").filter(|it| **it != json!("auto"));
    let destinations = named.map_or((1 << NAMES.len()) - 1, |names| {
        let number = |name: &Value| NAMES.iter().position(|it| name == it).expect("a destination");
        names.as_array().expect("destinations").iter().map(|name| 1 << number(name)).sum()
    });
    if named.is_none() {
        flags |= Options::FINDS_DESTINATIONS;
    }
    let options = Options {
        poll_interval_ms: number("pollIntervalMs", 250.0),
        max_wait_ms: number("maxWaitMs", 5000.0),
        carry_over_ms: number("carryOverMs", 1_800_000.0),
        flags,
    };
    (options, destinations, dedupe == 1)
}

/// The states, by their numbers.
pub const STATES: [State; 5] =
    [State::Missing, State::Stub, State::Ready, State::ReadyAndConfirms, State::Failed];

/// The reasons, by their numbers.
pub const REASONS: [Reason; 10] = [
    Reason::Own,
    Reason::Unwanted,
    Reason::Full,
    Reason::Overdue,
    Reason::WaitedOut,
    Reason::Known,
    Reason::OtherTab,
    Reason::Before,
    Reason::Refused,
    Reason::TookCharge,
];

/// The effect that a number stands for, as JavaScript takes it apart; none for 0.
#[track_caller]
pub fn effect(code: f64) -> Option<Effect> {
    assert!(code >= 0.0 && code.fract() == 0.0 && code < 9e15, "{code} is no effect");
    let code = code as u64;
    let (kind, destination) = (code % 16, (code / 16 % 8) as u32);
    let (argument, id) = ((code / 128 % 65_536) as usize, (code / 8_388_608) as u32);
    Some(match kind {
        0 => {
            assert_eq!(code, 0);
            return None;
        }
        1 => Effect::Store(id),
        2 => Effect::Erase(id),
        3 => Effect::Look(destination),
        4 => Effect::Recall(id, destination),
        5 => Effect::Send(id, destination),
        6 => Effect::Remember(id, destination, argument as u16),
        7 => Effect::Forget(id, destination, argument as u16),
        8 => Effect::Release,
        9 => Effect::Purge,
        10 => Effect::Trace(
            id,
            match argument % 16 {
                0 => Step::Held(Hold::Consent),
                1 => Step::Held(Hold::Redirect),
                2 => Step::Parked,
                3 => Step::Resumed,
                4 => Step::Waiting(destination, STATES[argument / 16]),
                5 => Step::Stub(destination),
                6 => Step::Tool(destination),
                7 => Step::Confirmed(destination),
                8 => Step::Threw(destination),
                step => panic!("{step} is no step"),
            },
        ),
        11 => Effect::Ended(id, Verdict::ALL[argument % 16], REASONS[argument / 16], destination),
        _ => panic!("{kind} is no effect"),
    })
}

/// A step in words.
pub fn words(step: Step) -> String {
    let name = |destination: Destination| NAMES[destination as usize];
    let state = |state: State| match state {
        State::Missing => "missing",
        State::Stub => "a stub",
        State::Ready | State::ReadyAndConfirms => "ready",
        State::Failed => "failed",
    };
    match step {
        Step::Held(Hold::Consent) => "held: waits for consent".to_owned(),
        Step::Held(Hold::Redirect) => "held: told on the landing page of its redirect".to_owned(),
        Step::Parked => "the wait on this page is over: left for the next page".to_owned(),
        Step::Resumed => "taken over from an earlier page".to_owned(),
        Step::Waiting(destination, its) => format!("{} is {}: waits", name(destination), state(its)),
        Step::Threw(destination) => format!("{} threw", name(destination)),
        Step::Stub(destination) => format!("handed to the stub of {}", name(destination)),
        Step::Tool(destination) => format!("handed to {}", name(destination)),
        Step::Confirmed(destination) => format!("{} took charge", name(destination)),
    }
}

/// A decision of an experiment.
pub fn a() -> Decided {
    optimizely("e1", "a")
}

/// Another variation of the same.
pub fn b() -> Decided {
    optimizely("e1", "b")
}

/// The decision, of a personalization whose control group the visitor is in.
pub fn control_group(decision: Decided) -> Decided {
    with(held_back(decision), Decision::PERSONALIZATION)
}
