//! What the host writes into IN (ABI 4, 6.1, 7.1, 20.3): views that borrow from it. Offsets are added as `u64`, so that no sum
//! wraps around (ABI 1.3).

pub(crate) const MAX_RECORDS: u64 = 1024;
pub(crate) const MAX_COLUMNS: u64 = 64;
pub(crate) const MAX_MESSAGE: usize = 1024;

pub(crate) const RECORDS_HEADER: usize = 48;
pub(crate) const RECORD_SIZE: usize = 32;
pub(crate) const ROWS_HEADER: usize = 48;
pub(crate) const CELL_SIZE: usize = 8;
pub(crate) const POLL_HEADER: usize = 40;
pub(crate) const DUE_HEADER: usize = 40;
pub(crate) const TIMER_SIZE: usize = 16;
pub(crate) const REF_SIZE: usize = 32;
const MAX_KEY: usize = 512;

/// An absent offset, cell or source span.
pub(crate) const NONE: u32 = u32::MAX;

/// Statuses of an entry point (ABI 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Status {
    Ok = 0,
    OutTooShort = -1,
    BadInput = -2,
    #[cfg_attr(not(target_family = "wasm"), allow(dead_code))]
    Settings = -3,
    Failed = -4,
}

pub(crate) fn u32_at(b: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(b[at..at + 4].try_into().unwrap())
}

pub(crate) fn u64_at(b: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(b[at..at + 8].try_into().unwrap())
}

/// The `len` bytes at `off` of `b`, when they lie within it.
fn part(b: &[u8], off: u64, len: u64) -> Option<&[u8]> {
    if off + len > b.len() as u64 {
        return None;
    }
    Some(&b[off as usize..(off + len) as usize])
}

/// The bytes that the offset and length at `at` of `table` select in `heap`.
fn range<'a>(table: &[u8], at: usize, heap: &'a [u8]) -> Option<&'a [u8]> {
    part(heap, u32_at(table, at).into(), u32_at(table, at + 4).into())
}

fn has_magic(b: &[u8], header: usize, magic: &[u8; 4]) -> bool {
    b.len() >= header && &b[..4] == magic
}

/// One record as received.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The bytes that the sender sent.
    pub raw: &'a [u8],
    /// Who sent it, "listener peer".
    pub source: &'a [u8],
    /// Receive time, nanoseconds since the Unix epoch.
    pub received: i64,
    /// It was longer than the listener's limit; the rest was cut.
    pub truncated: bool,
}

/// A record batch (ABI 4).
pub(crate) struct Records<'a> {
    table: &'a [u8],
    heap: &'a [u8],
}

impl<'a> Records<'a> {
    pub fn decode(b: &'a [u8]) -> Option<Records<'a>> {
        if !has_magic(b, RECORDS_HEADER, b"VRB1") {
            return None;
        }
        let n = u64::from(u32_at(b, 8));
        if n > MAX_RECORDS {
            return None;
        }
        Some(Records { table: part(b, u32_at(b, 12).into(), n * RECORD_SIZE as u64)?, heap: range(b, 16, b)? })
    }

    pub fn len(&self) -> usize {
        self.table.len() / RECORD_SIZE
    }

    /// Record `i`; `None` when its ranges lie outside the batch.
    pub fn get(&self, i: usize) -> Option<Record<'a>> {
        let row = &self.table[i * RECORD_SIZE..][..RECORD_SIZE];
        Some(Record {
            raw: range(row, 0, self.heap)?,
            source: range(row, 8, self.heap)?,
            received: u64_at(row, 16) as i64,
            truncated: u32_at(row, 24) & 1 != 0,
        })
    }
}

/// One projected event.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    row: &'a [u8],
    heap: &'a [u8],
    reference: Option<&'a [u8]>,
    log_time: i64,
}

impl<'a> Row<'a> {
    /// The event's reference, 32 bytes that a rule may keep and name as evidence later ([`crate::Finding::evidence`]); `None`
    /// on a host of an ABI before 1.3, and for a rule without state.
    pub fn reference(&self) -> Option<&'a [u8]> {
        self.reference
    }

    /// The event's time, nanoseconds since the Unix epoch.
    pub fn time(&self) -> i64 {
        u64_at(self.row, 0) as i64
    }

    /// The log time of the batch, nanoseconds since the Unix epoch. It never goes back from one batch to the next.
    pub fn log_time(&self) -> i64 {
        self.log_time
    }

    /// Column `column` of the manifest's `reads`; `None` when the event does not have the field.
    ///
    /// # Panics
    ///
    /// When the manifest has no such column.
    pub fn get(&self, column: usize) -> Option<&'a [u8]> {
        let at = 8 + column * CELL_SIZE;
        if u32_at(self.row, at + 4) == NONE {
            return None;
        }
        range(self.row, at, self.heap)
    }
}

/// A batch of rows (ABI 6.1).
pub(crate) struct Rows<'a> {
    rows: usize,
    size: usize,
    table: &'a [u8],
    heap: &'a [u8],
    references: Option<&'a [u8]>,
    log_time: i64,
}

impl<'a> Rows<'a> {
    pub fn decode(b: &'a [u8]) -> Option<Rows<'a>> {
        if !has_magic(b, ROWS_HEADER, b"VEP1") {
            return None;
        }
        let (n, columns) = (u64::from(u32_at(b, 8)), u64::from(u32_at(b, 12)));
        if n > MAX_RECORDS || columns > MAX_COLUMNS {
            return None;
        }
        let size = 8 + columns * CELL_SIZE as u64;
        let references = match u32_at(b, 28) {
            0 => None,
            at => Some(part(b, at.into(), n * REF_SIZE as u64)?),
        };
        Some(Rows {
            rows: n as usize,
            size: size as usize,
            table: part(b, u32_at(b, 16).into(), n * size)?,
            heap: range(b, 20, b)?,
            references,
            log_time: u64_at(b, 40) as i64,
        })
    }

    pub fn len(&self) -> usize {
        self.rows
    }

    #[cfg(not(target_family = "wasm"))]
    pub fn log_time(&self) -> i64 {
        self.log_time
    }

    pub fn get(&self, i: usize) -> Row<'a> {
        let reference = self.references.map(|r| &r[i * REF_SIZE..][..REF_SIZE]);
        Row { row: &self.table[i * self.size..][..self.size], heap: self.heap, reference, log_time: self.log_time }
    }
}

/// A timer whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer<'a> {
    /// What it was set with.
    pub key: &'a [u8],
    /// When it was due, nanoseconds since the Unix epoch.
    pub at: i64,
    /// Log time, nanoseconds since the Unix epoch.
    pub now: i64,
}

/// A batch of timers (ABI 20.3).
pub(crate) struct Due<'a> {
    table: &'a [u8],
    arena: &'a [u8],
    now: i64,
}

impl<'a> Due<'a> {
    pub fn decode(b: &'a [u8]) -> Option<Due<'a>> {
        if !has_magic(b, DUE_HEADER, b"VDB1") {
            return None;
        }
        let n = u64::from(u32_at(b, 8));
        if n > MAX_RECORDS {
            return None;
        }
        let table = part(b, u32_at(b, 12).into(), n * TIMER_SIZE as u64)?;
        let due = Due { table, arena: range(b, 16, b)?, now: u64_at(b, 32) as i64 };
        (0..due.len()).all(|i| due.get(i).is_some_and(|t| (1..=MAX_KEY).contains(&t.key.len()))).then_some(due)
    }

    pub fn len(&self) -> usize {
        self.table.len() / TIMER_SIZE
    }

    #[cfg(not(target_family = "wasm"))]
    pub fn now(&self) -> i64 {
        self.now
    }

    pub fn get(&self, i: usize) -> Option<Timer<'a>> {
        let row = &self.table[i * TIMER_SIZE..][..TIMER_SIZE];
        Some(Timer { key: range(row, 8, self.arena)?, at: u64_at(row, 0) as i64, now: self.now })
    }
}

/// What a monitor is asked with (ABI 7.1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ask<'a> {
    pub at: i64,
    pub cursor: &'a [u8],
    pub name: &'a [u8],
}

impl<'a> Ask<'a> {
    pub fn decode(b: &'a [u8]) -> Option<Ask<'a>> {
        if !has_magic(b, POLL_HEADER, b"VPI1") {
            return None;
        }
        Some(Ask { at: u64_at(b, 16) as i64, cursor: range(b, 24, b)?, name: range(b, 32, b)? })
    }
}

#[cfg(test)]
#[path = "abi_test.rs"]
pub(crate) mod tests;
