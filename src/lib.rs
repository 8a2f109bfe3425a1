//! Carries every experiment decision on a page to analytics, exactly once.
//!
//! This is what decides, deduplicates, holds and delivers, on numbers only; the shell in `www/` is
//! its hands. It reads what experiment tools say, spells what analytics tools are told, keeps the
//! visitor's storage and the report, and knows each decision by the number it gave it.
//!
//! The *gate* judges a decision: deliver, hold or drop. The *outbox* holds it, as an item with one
//! *parcel* for each destination, until they have it. Decisions are compared by hashes, their
//! *keys*. `js` is the door to all of it.

#![deny(missing_docs)]
// Nothing that a page brings may stop us.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

pub mod gate;
pub mod key;
pub mod outbox;
pub mod parcel;

pub mod js;
