//! What must hold of the door whatever is called, in whatever order, with whatever numbers. The fuzzer
//! looks for counterexamples; `tests/corpus.rs` tries again all that were ever found.

use std::collections::{BTreeMap, BTreeSet};

use decision_bridge::js::*;

/// Effects that nobody answers with more come to an end after so many at the latest.
const MOST: usize = 100_000;

/// The bytes, as the numbers that are passed in. Those that are missing are 0.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u32 {
        self.next().unwrap_or_default().into()
    }

    /// Mostly one of a few, sometimes anything.
    fn integer(&mut self) -> u32 {
        match self.byte() {
            255 => u32::from_le_bytes([0; 4].map(|_: u8| self.byte() as u8)),
            small => small,
        }
    }

    /// Mostly some ms, sometimes anything, and sometimes no number at all.
    fn float(&mut self) -> f64 {
        match self.byte() {
            255 => f64::from_le_bytes([0; 8].map(|_: u8| self.byte() as u8)),
            254 => f64::INFINITY,
            253 => -1.0,
            small => f64::from(small * small),
        }
    }
}

/// What is known of the core from outside.
#[derive(Default)]
struct Page {
    ids: u32,
    consent: u32,
    ended: BTreeMap<u32, u32>,
    delivered: BTreeSet<(u32, u32)>,
    /// How destinations answer from now on.
    state: u32,
    call: u32,
}

/// A sequence of calls.
pub fn core(data: &[u8]) {
    let mut numbers = Numbers(data);
    let mut page = Page::default();
    renew();
    now(1e6, 0.0);
    let (flags, destinations) = (numbers.byte(), numbers.byte());
    let (poll, max_wait, carry_over) = (numbers.float(), numbers.float(), numbers.float());
    init(poll, max_wait, carry_over, flags, destinations);
    facts(0);
    let (mut wall, mut steady) = (1e6, 0.0);
    while let Some(call) = numbers.next() {
        match call % 24 {
            0..4 => {
                page.ids += 1;
                for register in 0..2 {
                    letter(numbers.byte() % 3);
                    keep(register);
                }
                decided(page.ids, numbers.integer() | (numbers.byte() & 3) << 8);
            }
            4 => {
                page.ids += 1;
                for _ in 0..numbers.byte() % 8 {
                    parcel(numbers.byte() % 9, numbers.integer(), numbers.byte() & 1 == 1);
                }
                carried(page.ids, numbers.integer() | (numbers.byte() & 4) << 8, wall - numbers.float());
            }
            5 => remembered(numbers.byte() % 9, numbers.integer(), numbers.byte() & 1 == 1),
            6 | 7 => page.run(&mut numbers),
            8 => {
                // An item that came is not told what consent was: it is what `facts` said last.
                letter(numbers.byte() % 3);
                keep(2);
                let consent = numbers.byte();
                facts(consent);
                page.consent = if consent < 3 { consent } else { page.consent };
            }
            9 => leaving(page.id(&mut numbers), numbers.byte() & 1 == 1),
            10 | 11 => {
                let (passed, jumped) = (numbers.float(), numbers.float());
                steady += passed;
                wall += passed + jumped;
                now(wall, steady);
            }
            12 => found(numbers.byte() % 9, numbers.byte()),
            13 => recalled(page.id(&mut numbers), numbers.byte() % 9),
            14 => called(page.id(&mut numbers), numbers.byte() % 9, numbers.byte()),
            15 => confirmed(page.id(&mut numbers), numbers.byte() % 9),
            16 => flush(),
            17 | 18 => tick(),
            19 => hidden(),
            20 => shown(),
            21 => message_id(page.id(&mut numbers), numbers.integer()),
            22 => page.state = numbers.byte() % 5,
            _ => page.call = numbers.byte() % 3,
        }
        page.check();
    }
    page.run(&mut numbers);
    // A withdrawal ends all that has not ended yet.
    facts(0);
    facts(2);
    page.consent = 2;
    page.run(&mut numbers);
    assert_eq!(pending(), 0);
    assert_eq!(page.ended.len(), page.ids as usize, "each has its end: {:?}", page.ended);
}

impl Page {
    /// Mostly a decision that came, sometimes one that never did.
    fn id(&self, numbers: &mut Numbers) -> u32 {
        let number = numbers.integer();
        if number < 200 { number % (self.ids + 1) } else { number }
    }

    /// Does what there is to do until there is nothing more.
    fn run(&mut self, numbers: &mut Numbers) {
        for turn in 0.. {
            assert!(turn < MOST, "there is no end to it");
            let code = poll();
            if code == 0.0 {
                return;
            }
            assert!((0.0..9e15).contains(&code) && code.fract() == 0.0, "{code} is no effect");
            let code = code as u64;
            let part = |unit: u64, of: u64| (code / unit % of) as u32;
            let (kind, destination, argument) = (part(1, 16), part(16, 8), part(128, 65_536));
            let id = part(8_388_608, 1 << 30);
            assert!(id <= self.ids && destination < 7, "{id} for {destination}");
            match kind {
                1 | 2 | 6 | 7 => assert_ne!(id, 0),
                3 => found(destination, self.state),
                4 => recalled(id, destination),
                5 => self.send(id, destination, numbers),
                8 | 9 => assert_eq!(id, 0),
                10 => {
                    assert!(argument % 16 < 9, "{argument} is no step");
                    if argument == 7 {
                        assert!(self.delivered.insert((id, destination)), "{id} is delivered again");
                    }
                }
                11 => {
                    let (verdict, reason) = (argument % 16, argument / 16);
                    assert!(verdict < 9 && reason < 10, "{argument} is no end");
                    let before = self.ended.insert(id, verdict);
                    assert_eq!(before, None, "{id} ends a second time: {verdict} {reason}");
                }
                _ => panic!("{kind} is no effect"),
            }
        }
    }

    fn send(&mut self, id: u32, destination: u32, numbers: &mut Numbers) {
        assert_eq!(self.consent, 0, "{id} is sent without consent");
        assert_ne!(open(id, destination), -1, "{id} is sent and has no parcel");
        assert!(waits(id));
        assert!(!self.delivered.contains(&(id, destination)), "{id} was delivered before");
        // The page may come back from within the call.
        if self.call == 2 && numbers.byte() & 1 == 1 {
            confirmed(id, destination);
        }
        called(id, destination, self.call);
    }

    fn check(&self) {
        if pending() == 0 {
            assert_eq!(wake_in(), -1.0, "nothing is pending");
        }
        for id in 0..self.ids.min(20) {
            for destination in 0..8 {
                let parcel = open(id, destination);
                assert!(parcel >= -1);
                assert!(parcel == -1 || destination < 7);
            }
        }
    }
}
