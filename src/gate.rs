//! The gate: may this decision go to this destination? A pure answer to what it is told.

use crate::key::Hash;

/// A decision, as far as it has to be known here: JavaScript keeps its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its dedupe key.
    pub key: Hash,
    /// Its outcome: two decisions with the same key and the same outcome are the same.
    pub outcome: Hash,
    /// What is true of it, of the flags below. The lowest four bits are the number of the verdict
    /// with which its source refused it, plus one.
    pub flags: u32,
}

impl Decision {
    /// The visitor is held back.
    pub const HOLDBACK: u32 = 1 << 4;
    /// It belongs to a personalization, whose holdback is an exposure too.
    pub const PERSONALIZATION: u32 = 1 << 5;
    /// It was made in preview.
    pub const PREVIEW: u32 = 1 << 6;
    /// It was made in QA.
    pub const QA: u32 = 1 << 7;
    /// Its platform may be about to redirect for it.
    pub const MAY_REDIRECT: u32 = 1 << 8;
    /// A redirect of its experiment is in flight.
    pub const LEAVING: u32 = 1 << 9;

    /// Whether this flag is set.
    pub fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// With which verdict its source refused it, if it did.
    pub fn refused(&self) -> Option<Verdict> {
        Verdict::ALL.get((self.flags & 15).checked_sub(1)? as usize).copied()
    }
}

/// How a decision ends. JavaScript knows the verdicts by these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A destination took charge of it.
    Delivered,
    /// The same was handed over, or waits, already.
    Duplicate,
    /// There is no variation to be exposed to.
    NotAnExposure,
    /// The visitor is held back, and not in the experiment.
    Holdback,
    /// It was made in preview.
    Preview,
    /// It was made in QA.
    Qa,
    /// Consent was refused.
    NoConsent,
    /// What came was no decision.
    Invalid,
    /// It waited longer than it may, or there was no room for it.
    Expired,
}

impl Verdict {
    /// All of them, in the order of their numbers.
    pub const ALL: [Verdict; 9] = [
        Verdict::Delivered,
        Verdict::Duplicate,
        Verdict::NotAnExposure,
        Verdict::Holdback,
        Verdict::Preview,
        Verdict::Qa,
        Verdict::NoConsent,
        Verdict::Invalid,
        Verdict::Expired,
    ];
}

/// Why a decision ended as it did. JavaScript knows the reasons by these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The verdict says it, and JavaScript knows it in words.
    Own,
    /// No destination is wanted.
    Unwanted,
    /// The outbox is full.
    Full,
    /// It waited longer than `carryOverMs`.
    Overdue,
    /// It waited longer than `maxWaitMs`, and `carryOverMs` is 0.
    WaitedOut,
    /// The same was handed over, or waits, already.
    Known,
    /// Another tab handed the same over.
    OtherTab,
    /// The same was handed over before.
    Before,
    /// Consent was refused.
    Refused,
    /// A destination took charge of it.
    TookCharge,
}

/// Whether we may store and send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Nobody has to be asked, or the visitor agreed.
    #[default]
    Granted,
    /// Not asked yet: hold everything, store nothing.
    Unknown,
    /// Refused or withdrawn.
    Denied,
}

/// What the page's owner wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How often to look for a missing destination.
    pub poll_interval_ms: f64,
    /// How long to look on this page.
    pub max_wait_ms: f64,
    /// How long a decision may wait across pages; with 0 it waits on this page only.
    pub carry_over_ms: f64,
    /// The rest, in bits: 0 and 1 `preview`, 2 and 3 `qa` (0 drop, 1 mark, 2 send), 4 and 5 `holdback`
    /// (0 auto, 1 drop, 2 send), and the flags below.
    pub flags: u32,
}

impl Options {
    /// `dedupe` is "none": nothing is a duplicate.
    pub const REPEATS: u32 = 1 << 6;
    /// `destinations` is "auto": they are those that turn out to be there.
    pub const FINDS_DESTINATIONS: u32 = 1 << 7;

    /// Whether this flag is set.
    pub fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    fn treatment(&self, place: u32) -> u32 {
        self.flags >> place & 3
    }
}

/// What the gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgment {
    /// It may go.
    Deliver,
    /// Not yet.
    Hold(Hold),
    /// Never.
    Drop(Verdict, Reason),
}

/// Why a decision has to wait, though a destination may be ready.
// From 1 on, so that no hold at all is 0: an item without parcels is then nothing but zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// For consent.
    Consent = 1,
    /// For the landing page of the redirect that this decision is about to make.
    Redirect,
}

/// Judges one decision for one destination, where `is_known` says that the same was last handed
/// over, or waits, for its dedupe key. The first objection counts.
#[inline(never)]
pub fn judge(decision: &Decision, consent: Consent, options: &Options, is_known: bool) -> Judgment {
    let own = |verdict| Judgment::Drop(verdict, Reason::Own);
    if let Some(verdict) = decision.refused() {
        return own(verdict);
    }
    if decision.is(Decision::HOLDBACK) {
        // "auto" leaves it to the kind.
        let keeps = match options.treatment(4) {
            0 => decision.is(Decision::PERSONALIZATION),
            treatment => treatment != 1,
        };
        if !keeps {
            return own(Verdict::Holdback);
        }
    }
    if decision.is(Decision::PREVIEW) && options.treatment(0) == 0 {
        return own(Verdict::Preview);
    }
    if decision.is(Decision::QA) && options.treatment(2) == 0 {
        return own(Verdict::Qa);
    }
    if is_known {
        return Judgment::Drop(Verdict::Duplicate, Reason::Known);
    }
    match hold(decision, consent) {
        _ if consent == Consent::Denied => Judgment::Drop(Verdict::NoConsent, Reason::Refused),
        Some(hold) => Judgment::Hold(hold),
        None => Judgment::Deliver,
    }
}

/// Why the decision has to wait, if it has to.
pub fn hold(decision: &Decision, consent: Consent) -> Option<Hold> {
    let leaving = decision.is(Decision::MAY_REDIRECT) && decision.is(Decision::LEAVING);
    match consent {
        Consent::Unknown => Some(Hold::Consent),
        _ => leaving.then_some(Hold::Redirect),
    }
}
