//! From page to page: what a visitor does, and what the next page takes over.

use super::*;

impl World {
    /// The tool tells that it took charge of what it was handed first.
    pub fn confirm_oldest(&mut self) {
        if !self.unconfirmed.is_empty() {
            let (id, destination) = self.unconfirmed.remove(0);
            self.outbox().confirmed(id, destination);
            self.run();
        }
    }

    pub fn leave(&mut self) {
        self.outbox().hidden();
        self.run();
    }

    pub fn come_back(&mut self) {
        self.outbox().shown();
        self.run();
    }

    /// The visitor goes to another page, which takes over what was written down.
    pub fn go_on(&mut self) {
        let consent = self.facts.consent;
        self.go_on_with(consent);
    }

    /// The visitor goes to another page, which knows this about consent.
    pub fn go_on_with(&mut self, consent: Consent) {
        self.leave();
        self.facts.consent = consent;
        self.begin_next();
        self.run();
    }

    /// The page is killed, without a goodbye. Later another one takes over what was written down.
    pub fn is_killed(&mut self) {
        self.now.wall += 61_000.0;
        self.begin_next();
        self.run();
    }

    /// Another page begins, and does nothing yet of what its outbox asks.
    pub fn begin_next(&mut self) {
        self.page += 1;
        self.before_page = self.ids;
        self.unconfirmed.clear();
        self.outbox = self.fresh();
        if self.each_page_is_a_scope {
            self.memory.clear();
            self.facts.period = format!("page {}", self.page);
        }
        self.learn();
        self.take_over();
    }

    pub fn take_over(&mut self) {
        if self.facts.consent != Consent::Granted {
            return;
        }
        for (old, record) in std::mem::take(&mut self.stored) {
            let (decided, received_at) = (record.decided, record.received_at);
            let ours = record.period == self.facts.period;
            let id = self.next_id(self.arrivals[&old], &decided, received_at, Some(record.period));
            let period = if ours { hash(&[&self.facts.period]) } else { Hash::NONE };
            // A page that takes over knows nothing of a redirect that brought it here.
            let mut decision = decided.told();
            decision.flags = 0;
            let mut item = Item { id, decision, period, received_at, ..Item::NONE };
            for (destination, occurrence, message_id, offered) in record.parcels {
                item.put(destination, occurrence);
                item.offered |= Set::from(offered) << destination;
                self.known.get_mut(&id).expect("an item").message_ids.insert(destination, message_id);
            }
            self.outbox().carried(&mut item);
        }
    }
}
