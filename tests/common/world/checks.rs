//! What came of it all.

use super::*;

impl World {
    /// The arrivals that Segment was handed, in order, each call of `track` that returned.
    pub fn handed_over(&self) -> Vec<usize> {
        self.handed_to(SEGMENT)
    }

    /// The same of any destination.
    pub fn handed_to(&self, destination: Destination) -> Vec<usize> {
        let to = self.sent.iter().filter(|sent| sent.destination == destination);
        to.filter(|sent| !sent.threw).map(|sent| sent.arrival).collect()
    }

    /// How the items of an arrival ended.
    pub fn ends_of(&self, arrival: usize) -> Vec<Verdict> {
        let of = |id: &u32| self.arrivals[id] == arrival;
        self.ended.iter().filter(|(id, ..)| of(id)).map(|(_, verdict, _)| *verdict).collect()
    }

    #[track_caller]
    pub fn has_handed_over(&self, arrivals: &[usize]) -> &World {
        assert_eq!(self.handed_over(), arrivals, "steps: {:#?}", self.steps);
        self
    }

    #[track_caller]
    pub fn has_ended(&self, arrival: usize, verdict: Verdict) -> &World {
        assert_eq!(self.ends_of(arrival), [verdict], "steps: {:#?}", self.steps);
        self
    }

    #[track_caller]
    pub fn waits_for_nothing(&self) -> &World {
        assert_eq!((self.pending(), self.wake_in()), (0, None));
        assert!(self.stored.is_empty(), "{:?}", self.stored);
        self
    }
}
