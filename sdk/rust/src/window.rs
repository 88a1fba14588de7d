//! Counts for a rule over spans of log time that end now (ABI 13): the host keeps and forgets what is needed for it. What a
//! batch adds is kept when the batch succeeds, and not at all otherwise. The only fault is [`Fault::Limit`].

use std::time::Duration;

use crate::kv::{checked, ns, Fault};

#[cfg(not(target_family = "wasm"))]
use crate::fake as host;
#[cfg(target_family = "wasm")]
use crate::guest::state as host;

/// Adds `delta` to a key's count and returns what was added within `window` until now. The window is made of whole buckets,
/// at most 64: a smaller bucket forgets more exactly. The same key with another window or bucket is another count.
pub fn count(key: &[u8], window: Duration, bucket: Duration, delta: u32) -> Result<u64, Fault> {
    checked(host::window_count(key, ns(window), ns(bucket), delta.into())).map(|n| n as u64)
}

/// Notes that `value` was seen under a key and returns how many different values were within `window` until now: exactly up
/// to 1,024, beyond that an estimate with a standard error of 3 to 7 %.
pub fn distinct(key: &[u8], value: &[u8], window: Duration) -> Result<u64, Fault> {
    checked(host::window_distinct(key, value, ns(window))).map(|n| n as u64)
}

/// Tells whether a key was not seen during the `ttl` before now, and notes that it is seen now.
pub fn first_seen(key: &[u8], ttl: Duration) -> Result<bool, Fault> {
    checked(host::window_first_seen(key, ns(ttl))).map(|n| n > 0)
}

/// Moves a key of a sequence to a state, 1 to 65,535, and returns the state in which it stood, 0 for none. It moves, for
/// `ttl` from now, if it stood in the state before or in this one; else nothing changes. State 0 ends the sequence.
///
/// ```
/// # use std::time::Duration;
/// # use vedette::window;
/// # vedette::testing::session(0, || {
/// let hour = Duration::from_secs(3600);
/// window::step(b"ada", 1, hour)?;
/// assert_eq!(window::step(b"ada", 2, hour)?, 1); // the second follows the first
/// # Ok::<(), vedette::kv::Fault>(())
/// # }).unwrap();
/// ```
pub fn step(key: &[u8], state: u16, ttl: Duration) -> Result<u16, Fault> {
    checked(host::window_seq_step(key, state.into(), ns(ttl))).map(|n| n as u16)
}
