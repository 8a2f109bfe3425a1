//! Carries every experiment decision on a page to analytics, exactly once.
//!
//! A *source* reads what an experiment tool says and makes it a [`decision::Decision`].
//! The *gate* judges it: deliver, hold or drop, with a reason. The *outbox* holds it until a
//! destination can take it, and remembers that it was handed over. A *destination* spells it for
//! one analytics tool. The way back is [`forward`]: analytics events for the experiment tool.
//!
//! The modules stand in the order a decision walks through them. Everything is pure and natively
//! tested, but for `tracker`, the impure halves of the vendors and `js`, the only room that
//! speaks JavaScript.

#![deny(missing_docs)]
// Nothing that a page brings may stop us.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

pub mod json;
pub mod options;
pub mod view;

pub mod decision;
pub mod source;

pub mod gate;
pub mod signal;

pub mod key;
pub mod outbox;
pub mod parcel;
pub mod store;

pub mod destination;

pub mod forward;

#[cfg(target_arch = "wasm32")]
pub mod js;
#[cfg(target_arch = "wasm32")]
mod tracker;

/// The version of this build, as `decisionBridge.version` and `diagnose().version` tell it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
