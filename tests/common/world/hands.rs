//! What the outbox asks is done here: in the visitor’s storage, and at the destinations.

use super::*;

impl World {
    /// What is remembered for the key of an item.
    pub(super) fn recall(&self, id: u32) -> Memory {
        let decided = &self.known[&id].decided;
        let mut memory = [Mark::NONE; PLACES];
        let marks = self.memory.get(&decided.key()).filter(|_| self.facts.consent == Consent::Granted);
        for (place, mark) in memory.iter_mut().zip(marks.into_iter().flatten()) {
            if let Some((occurrence, outcome)) = mark {
                *place = Mark::new(*occurrence, *outcome == decided.outcome());
            }
        }
        memory
    }

    /// The idempotency key of what goes to a destination.
    fn message_id(&self, id: u32, destination: Destination) -> Hash {
        let settled = self.known[&id].message_ids.get(&destination).copied();
        let who = hash(&["key", &self.facts.visitor]);
        settled.unwrap_or_else(|| self.outbox.message_id(id, destination, &who))
    }

    /// An item as it is to be written down now.
    fn record(&self, id: u32) -> Option<Record> {
        let item = self.outbox.item(id)?;
        let known = &self.known[&id];
        let open = (0..NAMES.len() as Destination).filter(|destination| item.open >> destination & 1 != 0);
        let parcel = |destination| {
            let offered = item.offered >> destination & 1 != 0;
            (destination, item.occurrence(destination), self.message_id(id, destination), offered)
        };
        Some(Record {
            decided: known.decided.clone(),
            received_at: known.received_at,
            period: known.period.clone().unwrap_or_else(|| self.facts.period.clone()),
            parcels: open.map(parcel).collect(),
        })
    }

    fn needs_consent(&mut self, what: &str) {
        if self.facts.consent != Consent::Granted {
            self.trespasses.push(what.to_owned());
        }
    }

    pub(super) fn perform(&mut self, effect: Effect) {
        if !matches!(effect, Effect::Trace(..) | Effect::Ended(..)) {
            self.work += 1;
        }
        match effect {
            Effect::Store(id) => {
                self.needs_consent("stored");
                if let Some(record) = self.record(id) {
                    self.stored.insert(id, record);
                }
            }
            Effect::Erase(id) => {
                self.stored.remove(&id);
            }
            Effect::Look(destination) => {
                let state = self.state_of(destination);
                self.outbox().found(destination, state);
            }
            Effect::Recall(id, destination) => {
                let memory = self.recall(id);
                self.outbox().recalled(id, destination, &memory);
            }
            Effect::Send(id, destination) => self.send(id, destination),
            Effect::Remember(id, destination, occurrence) => {
                self.needs_consent("remembered");
                let decided = &self.known[&id].decided;
                let marks = self.memory.entry(decided.key()).or_default();
                let mark = &mut marks[destination as usize];
                // A mark of something younger stays.
                if mark.is_none_or(|(known, _)| known <= occurrence) {
                    *mark = Some((occurrence, decided.outcome()));
                }
            }
            Effect::Forget(id, destination, occurrence) => {
                let decided = &self.known[&id].decided;
                if let Some(marks) = self.memory.get_mut(&decided.key())
                    && marks[destination as usize] == Some((occurrence, decided.outcome()))
                {
                    marks[destination as usize] = None;
                }
            }
            Effect::Purge => {
                self.stored.clear();
                self.memory.clear();
                // The session is forgotten too: the next one has another id.
                self.facts.period = format!("after {}", self.facts.period);
            }
            Effect::Release => {}
            Effect::Trace(id, step) => {
                if let Step::Confirmed(destination) = step {
                    self.confirmed.push((id, destination));
                }
                let arrival = self.arrivals[&id];
                self.steps.push(format!("{arrival}: {}", words(step)));
            }
            Effect::Ended(id, verdict, reason, _) => self.ended.push((id, verdict, reason)),
        }
    }

    fn send(&mut self, id: u32, destination: Destination) {
        self.needs_consent("sent");
        self.now.wall += self.takes;
        self.now.steady += self.takes;
        let fails = self.failing.contains(&destination);
        let answer = if fails { Answer::Throws } else { self.answer };
        let threw = answer == Answer::Throws;
        let message_id = self.message_id(id, destination);
        self.known.get_mut(&id).expect("an item").message_ids.insert(destination, message_id);
        let (arrival, page) = (self.arrivals[&id], self.page);
        self.sent.push(Sent { arrival, id, destination, page, message_id, threw });
        let call = match answer {
            Answer::Throws => Call::Threw,
            Answer::Returns if self.state_of(destination) != State::Stub => Call::Returned,
            _ => Call::WillConfirm,
        };
        if call == Call::WillConfirm {
            self.unconfirmed.push((id, destination));
        }
        self.outbox().called(id, destination, call);
    }
}
