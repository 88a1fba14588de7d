//! Wakes a rule when log time has reached a time that it has set (ABI 20), also when no event comes: to close a window, or to
//! notice that something did not follow. The only fault is [`Fault::Limit`].
//!
//! A timer has a key, and a key has one timer. It fires once, in the order of the log; what the rule needs to know then, it
//! keeps under the same key in [`crate::kv`]. The module implements [`crate::Rule::due`] and is exported with
//! `export_rule!(Module, timers)`.

use crate::kv::{checked, Fault};

#[cfg(not(target_family = "wasm"))]
use crate::fake as host;
#[cfg(target_family = "wasm")]
use crate::guest::state as host;

pub use crate::abi::Timer;

/// Sets the timer of a key to a log time, nanoseconds since the Unix epoch and at most 400 days from now, in the place of the
/// one that it has. A time that has passed is due when log time moves on.
pub fn set(key: &[u8], at: i64) -> Result<(), Fault> {
    checked(host::timer_set(key, at)).map(|_| ())
}

/// Removes the timer of a key and tells whether there was one.
pub fn cancel(key: &[u8]) -> Result<bool, Fault> {
    checked(host::timer_cancel(key)).map(|n| n > 0)
}
