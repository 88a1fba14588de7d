//! Keeps values for a rule from one event to the next (ABI 12): each under a key, for a time to live, for one organization.
//! What a batch changes is kept when the batch succeeds, and not at all otherwise.

use std::fmt;
use std::time::Duration;

/// The time to live of a value that is kept until it is deleted.
pub const FOREVER: Duration = Duration::ZERO;

/// Why a call changed or found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A quota or a bound of the host.
    Limit,
    /// There is no such key.
    Absent,
    /// What was asked for is longer than the buffer.
    Short,
    /// No table of that name was granted.
    Denied,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Fault::Limit => "E_LIMIT: a quota or a bound of the host",
            Fault::Absent => "there is no such key",
            Fault::Short => "what was asked for is longer than the buffer",
            Fault::Denied => "E_DENIED: no such table was granted",
        })
    }
}

impl std::error::Error for Fault {}

/// The result that a number of the host stands for: negative ones are faults (ABI 12.4, 13.1, 14.4).
pub(crate) fn checked<N: Copy + Into<i64>>(n: N) -> Result<N, Fault> {
    match n.into() {
        0.. => Ok(n),
        -2 => Err(Fault::Absent),
        -3 => Err(Fault::Short),
        -4 => Err(Fault::Denied),
        _ => Err(Fault::Limit),
    }
}

/// Nanoseconds, as the host counts log time; what is too long for it is refused by its bounds.
pub(crate) fn ns(d: Duration) -> i64 {
    i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(not(target_family = "wasm"))]
use crate::fake as host;
#[cfg(target_family = "wasm")]
use crate::guest::state as host;

/// Reads the value of a key into `buf` and returns the part of it that was filled.
pub fn get<'a>(key: &[u8], buf: &'a mut [u8]) -> Result<&'a [u8], Fault> {
    let n = checked(host::kv_get(key, buf))?;
    Ok(&buf[..n as usize])
}

/// Keeps a value, of at most 64 KiB, under a key, of at most 512 bytes, for `ttl` of log time from now.
pub fn put(key: &[u8], value: &[u8], ttl: Duration) -> Result<(), Fault> {
    checked(host::kv_put(key, value, ns(ttl))).map(|_| ())
}

/// Removes a key and tells whether it was there.
pub fn delete(key: &[u8]) -> Result<bool, Fault> {
    checked(host::kv_del(key)).map(|n| n > 0)
}

/// Adds `delta` to the number under a key and returns the sum. A key that is not there begins at 0 and lives for `ttl`; one
/// that is there keeps its end. The value of a number is 8 bytes, little-endian.
pub fn add(key: &[u8], delta: i64, ttl: Duration) -> Result<i64, Fault> {
    let mut sum = [0; 8];
    checked(host::kv_incr(key, delta, ns(ttl), &mut sum))?;
    Ok(i64::from_le_bytes(sum))
}

/// Replaces the value of a key if it is `old`, and tells whether it was. As `old`, `None` is a key that is not there; as
/// `value` it removes the key.
pub fn swap(key: &[u8], old: Option<&[u8]>, value: Option<&[u8]>, ttl: Duration) -> Result<bool, Fault> {
    checked(host::kv_cas(key, old, value, ns(ttl))).map(|n| n > 0)
}
