//! What the host keeps for a module, natively: state and tables of one thread, without quotas. `host/state` is the real one.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use crate::table::Row;
use crate::testing::TableKind;

const LIMIT: i32 = -1;
const ABSENT: i32 = -2;
const SHORT: i32 = -3;
const DENIED: i32 = -4;

const MAX_TTL: i64 = 400 * 24 * 3600 * 1_000_000_000;
const MAX_KEY: usize = 512;
const MAX_VALUE: usize = 64 << 10;
const FOREVER: i64 = i64::MAX;

/// What a call finds at a log time.
#[derive(Clone, Default)]
struct State {
    now: i64,
    open: bool,
    /// With when they end.
    values: HashMap<Vec<u8>, (Vec<u8>, i64)>,
    /// Sums by bucket, of a key, a window and a length of buckets.
    counts: HashMap<(Vec<u8>, i64, i64), BTreeMap<i64, i64>>,
    /// When a value was last seen, of a key and a window.
    sets: HashMap<(Vec<u8>, i64), HashMap<Vec<u8>, i64>>,
    /// Until when a key is not new.
    seen: HashMap<Vec<u8>, i64>,
    /// States of sequences, with when they end.
    steps: HashMap<Vec<u8>, (u32, i64)>,
    /// When a timer is due.
    timers: HashMap<Vec<u8>, i64>,
}

struct Table {
    kind: TableKind,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
    static TABLES: RefCell<HashMap<String, Table>> = RefCell::default();
}

/// Runs one batch at a log time, as a session: what it changed is taken back when it fails.
pub(crate) fn session<T, E>(at: i64, batch: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let before = STATE.with_borrow_mut(|s| {
        s.now = s.now.max(at);
        let now = s.now;
        s.values.retain(|_, v| v.1 > now);
        s.seen.retain(|_, end| *end > now);
        s.steps.retain(|_, v| v.1 > now);
        s.open = true;
        s.clone()
    });
    let result = batch();
    STATE.with_borrow_mut(|s| {
        if result.is_err() {
            *s = before;
        }
        s.open = false;
    });
    result
}

fn key_ok(key: &[u8]) -> bool {
    !key.is_empty() && key.len() <= MAX_KEY
}

fn span_ok(ns: i64) -> bool {
    ns > 0 && ns <= MAX_TTL
}

/// Works on the state of an open session; a call with a key that is none answers as one outside of a session does.
fn with<N: From<i32>>(key: &[u8], f: impl FnOnce(&mut State) -> N) -> N {
    STATE.with_borrow_mut(|s| if s.open && key_ok(key) { f(s) } else { LIMIT.into() })
}

fn end(now: i64, ttl: i64) -> Option<i64> {
    match ttl {
        0 => Some(FOREVER),
        ttl if span_ok(ttl) => Some(now + ttl),
        _ => None,
    }
}

pub(crate) fn kv_get(key: &[u8], out: &mut [u8]) -> i32 {
    with(key, |s| match s.values.get(key) {
        None => ABSENT,
        Some((v, _)) if v.len() > out.len() => SHORT,
        Some((v, _)) => {
            out[..v.len()].copy_from_slice(v);
            v.len() as i32
        }
    })
}

pub(crate) fn kv_put(key: &[u8], value: &[u8], ttl: i64) -> i32 {
    with(key, |s| match end(s.now, ttl) {
        Some(end) if value.len() <= MAX_VALUE => {
            s.values.insert(key.to_vec(), (value.to_vec(), end));
            0
        }
        _ => LIMIT,
    })
}

pub(crate) fn kv_del(key: &[u8]) -> i32 {
    with(key, |s| s.values.remove(key).is_some().into())
}

pub(crate) fn kv_incr(key: &[u8], delta: i64, ttl: i64, sum: &mut [u8; 8]) -> i32 {
    with(key, |s| {
        let Some(end) = end(s.now, ttl) else { return LIMIT };
        let (value, _) = s.values.entry(key.to_vec()).or_insert_with(|| (vec![0; 8], end));
        let Ok(old) = <[u8; 8]>::try_from(&value[..]) else { return LIMIT };
        let Some(n) = i64::from_le_bytes(old).checked_add(delta) else { return LIMIT };
        *sum = n.to_le_bytes();
        value.copy_from_slice(sum);
        0
    })
}

pub(crate) fn kv_cas(key: &[u8], old: Option<&[u8]>, value: Option<&[u8]>, ttl: i64) -> i32 {
    let is = with(key, |s| i32::from(s.values.get(key).map(|(v, _)| &v[..]) == old));
    match value {
        _ if is != 1 => is,
        None => {
            kv_del(key);
            1
        }
        Some(value) if kv_put(key, value, ttl) < 0 => LIMIT,
        Some(_) => 1,
    }
}

pub(crate) fn window_count(key: &[u8], window: i64, bucket: i64, delta: i64) -> i64 {
    if !span_ok(window) || bucket <= 0 || bucket > window || delta < 0 || (window - 1) / bucket >= 64 {
        return LIMIT.into();
    }
    with(key, |s| {
        let (newest, n) = (s.now.div_euclid(bucket), (window - 1) / bucket + 1);
        let sums = s.counts.entry((key.to_vec(), window, bucket)).or_default();
        let at = sums.entry(newest).or_default();
        *at = at.saturating_add(delta);
        sums.retain(|b, _| *b > newest - n);
        sums.values().fold(0, |sum: i64, n| sum.saturating_add(*n))
    })
}

pub(crate) fn window_distinct(key: &[u8], value: &[u8], window: i64) -> i64 {
    if !span_ok(window) || value.len() > MAX_VALUE {
        return LIMIT.into();
    }
    with(key, |s| {
        let set = s.sets.entry((key.to_vec(), window)).or_default();
        set.insert(value.to_vec(), s.now);
        set.retain(|_, seen| *seen > s.now - window);
        set.len() as i64
    })
}

pub(crate) fn window_first_seen(key: &[u8], ttl: i64) -> i32 {
    if !span_ok(ttl) {
        return LIMIT;
    }
    with(key, |s| s.seen.insert(key.to_vec(), s.now + ttl).is_none().into())
}

pub(crate) fn window_seq_step(key: &[u8], to: u32, ttl: i64) -> i32 {
    if to > 0xFFFF || to != 0 && !span_ok(ttl) {
        return LIMIT;
    }
    with(key, |s| {
        let was = s.steps.get(key).map_or(0, |v| v.0);
        if to == 0 {
            s.steps.remove(key);
        } else if to == was || to == was + 1 {
            s.steps.insert(key.to_vec(), (to, s.now + ttl));
        }
        was as i32
    })
}

pub(crate) fn timer_set(key: &[u8], at: i64) -> i32 {
    with(key, |s| {
        if at > s.now + MAX_TTL {
            return LIMIT;
        }
        s.timers.insert(key.to_vec(), at.max(s.now + 1));
        0
    })
}

pub(crate) fn timer_cancel(key: &[u8]) -> i32 {
    with(key, |s| s.timers.remove(key).is_some().into())
}

/// Takes the timers that are due at a log time, by time and key.
pub(crate) fn take_due(at: i64) -> Vec<(i64, Vec<u8>)> {
    STATE.with_borrow_mut(|s| {
        s.now = s.now.max(at);
        let now = s.now;
        let mut due: Vec<_> =
            s.timers.iter().filter(|(_, at)| **at <= now).map(|(key, at)| (*at, key.clone())).collect();
        s.timers.retain(|_, at| *at > now);
        due.sort();
        due
    })
}

/// Puts a table into its place ([`crate::testing::table`]).
pub(crate) fn table(name: &str, kind: TableKind, columns: &[&str], rows: &[&[&str]]) {
    let owned = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let table = Table { kind, columns: owned(columns), rows: rows.iter().map(|r| owned(r)).collect() };
    TABLES.with_borrow_mut(|t| t.insert(name.to_owned(), table));
}

/// Calls `f` with the row of a key, and the names of its columns.
fn find<R>(table: &str, key: &[u8], f: impl FnOnce(Option<(&[String], &[String])>) -> R) -> Option<R> {
    TABLES.with_borrow(|all| {
        let t = all.get(table)?;
        let row =
            t.rows.iter().filter_map(|r| Some((t.kind.rank(r[0].as_bytes(), key)?, r))).max_by_key(|(rank, _)| *rank);
        Some(f(row.map(|(_, r)| (&t.columns[..], &r[..]))))
    })
}

pub(crate) fn set_match(table: &str, keys: &[&[u8]], matched: &mut [u8]) -> i32 {
    matched[..keys.len().div_ceil(8)].fill(0);
    let mut n = 0;
    for (k, key) in keys.iter().enumerate() {
        match find(table, key, |row| row.is_some()) {
            None => return DENIED,
            Some(found) => {
                matched[k / 8] |= u8::from(found) << (k % 8);
                n += i32::from(found);
            }
        }
    }
    n
}

pub(crate) fn lookup_get(table: &str, key: &[u8], out: &mut [u8]) -> i32 {
    let row = find(table, key, |row| {
        row.map(|(columns, cells)| {
            Row::encode(&columns.iter().map(String::as_str).zip(cells.iter().map(String::as_str)).collect::<Vec<_>>())
        })
    });
    match row {
        None => DENIED,
        _ if key.len() > MAX_KEY => LIMIT,
        Some(None) => ABSENT,
        Some(Some(b)) if b.len() > out.len() => SHORT,
        Some(Some(b)) => {
            out[..b.len()].copy_from_slice(&b);
            b.len() as i32
        }
    }
}

#[cfg(test)]
#[path = "fake_test.rs"]
mod tests;
