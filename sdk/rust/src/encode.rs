//! What a module writes into OUT (ABI 5, 6.3, 7.2). Tables grow from its beginning, texts in the arena behind `split`, and
//! `finish` moves the arena down to where the tables end. Nothing is allocated; what does not fit makes `finish` answer
//! `None`, and the host tries again with a larger OUT or fewer records.

use crate::abi::{MAX_MESSAGE, NONE};
use crate::{Error, Name, Outcome};

const EVENTS_HEADER: usize = 48;
const OUTCOME_SIZE: usize = 16;
const EVENT_SIZE: usize = 32;
pub(crate) const FIELD_SIZE: usize = 24;
const FINDINGS_HEADER: usize = 32;
const FINDING_SIZE: usize = 48;
const POLLED_HEADER: usize = 32;
const POLLED_SIZE: usize = 8;

pub(crate) const MAX_EVENTS_PER_RECORD: usize = 256;
pub(crate) const MAX_FIELDS_PER_EVENT: usize = 500;
pub(crate) const MAX_NAME: usize = 128;
pub(crate) const MAX_VALUE: u32 = 128 << 10;
pub(crate) const MAX_EVENT_BYTES: u64 = 1 << 20;
pub(crate) const MAX_FINDINGS: usize = 4096;
pub(crate) const MAX_TEXT: usize = 512;
pub(crate) const MAX_POLLED: usize = 1024;
pub(crate) const MAX_RECORD_BYTES: usize = 1 << 20;

/// No time of its own (ABI 5.3).
const NO_TIME: i64 = i64::MIN;

/// The types of a field (ABI 5.4).
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Type {
    InRecord = 1,
    InArena = 2,
    Int = 3,
    Uint = 4,
    Float = 5,
    Bool = 6,
    Time = 7,
    Ipv4 = 8,
}

/// One element of a list-valued field.
pub(crate) const LIST: u8 = 1;

fn put_u32(b: &mut [u8], at: usize, v: u32) {
    b[at..at + 4].copy_from_slice(&v.to_le_bytes());
}

fn put_u64(b: &mut [u8], at: usize, v: u64) {
    b[at..at + 8].copy_from_slice(&v.to_le_bytes());
}

/// Copies `from` to `to`, which is as long. Most texts are shorter than what it costs a sandbox to begin a bulk copy, so
/// those of at most 64 bytes are copied as two halves that may overlap.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    #[inline(always)]
    fn halves<const HALF: usize>(to: &mut [u8], from: &[u8]) {
        let last = from.len() - HALF;
        let (a, b): ([u8; HALF], [u8; HALF]) = (from[..HALF].try_into().unwrap(), from[last..].try_into().unwrap());
        to[..HALF].copy_from_slice(&a);
        to[last..].copy_from_slice(&b);
    }
    let to = &mut to[..from.len()];
    match from.len() {
        0 => {}
        1 => to[0] = from[0],
        2..=3 => halves::<2>(to, from),
        4..=8 => halves::<4>(to, from),
        9..=16 => halves::<8>(to, from),
        17..=32 => halves::<16>(to, from),
        33..=64 => halves::<32>(to, from),
        _ => copy_long(to, from),
    }
}

/// A bulk operation makes the function around it save every register on each call, so it stands alone.
#[inline(never)]
fn copy_long(to: &mut [u8], from: &[u8]) {
    to.copy_from_slice(from);
}

/// An offset and a length, as they stand in values, spans and tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub off: u32,
    pub len: u32,
}

impl Range {
    pub const NONE: Range = Range { off: NONE, len: 0 };

    pub fn bits(self) -> u64 {
        u64::from(self.off) | u64::from(self.len) << 32
    }
}

/// OUT, divided.
struct Out<'a> {
    b: &'a mut [u8],
    split: usize, // the arena's beginning
    pos: usize,   // end of the tables
    heap: usize,  // length of the arena
    full: bool,
}

impl<'a> Out<'a> {
    /// Gives `eighths` of OUT to the tables, which begin with `header` bytes of zeros.
    fn new(b: &'a mut [u8], eighths: usize, header: usize) -> Out<'a> {
        let split = (b.len() / 8 * eighths) & !7;
        let full = header > split;
        if !full {
            b[..header].fill(0);
        }
        Out { b, split, pos: header, heap: 0, full }
    }

    /// Takes `n` bytes of the arena.
    fn reserve(&mut self, n: usize) -> Option<(&mut [u8], u32)> {
        let (off, start) = (self.heap, self.split + self.heap);
        if self.full || self.b.len() - start < n {
            self.full = true;
            return None;
        }
        self.heap += n;
        Some((&mut self.b[start..start + n], off as u32))
    }

    /// Appends a zeroed entry to the tables and returns its position.
    fn entry(&mut self, size: usize) -> Option<usize> {
        let pos = self.pos;
        if self.full || self.split - pos < size {
            self.full = true;
            return None;
        }
        self.b[pos..pos + size].fill(0);
        self.pos += size;
        Some(pos)
    }

    /// Moves the arena behind the tables and returns where it begins.
    fn join(&mut self) -> Option<usize> {
        if self.full {
            return None;
        }
        self.b.copy_within(self.split..self.split + self.heap, self.pos);
        Some(self.pos)
    }
}

/// Writes an event batch (ABI 5).
pub(crate) struct Events<'a> {
    out: Out<'a>,
    records: usize,
    record: usize,
    events: usize,
    event: Option<usize>,        // where the current event begins
    limit: usize,                // the next field must begin before this; 0 without an event
    bytes: u64,                  // names and values of the current event
    mark: (usize, usize, usize), // body, arena and events before the current record, to take it back
}

impl<'a> Events<'a> {
    pub fn new(out: &'a mut [u8], records: usize) -> Events<'a> {
        let out = Out::new(out, 6, EVENTS_HEADER + records * OUTCOME_SIZE);
        Events { out, records, record: 0, events: 0, event: None, limit: 0, bytes: 0, mark: (0, 0, 0) }
    }

    /// Begins record `i`; records are given in order.
    pub fn begin(&mut self, i: usize) {
        self.record = i;
        (self.event, self.limit) = (None, 0);
        self.mark = (self.out.pos, self.out.heap, self.events);
    }

    /// Begins an event of the current record.
    #[inline(never)]
    pub fn event(&mut self) {
        self.close();
        let Some(pos) = self.out.entry(EVENT_SIZE) else {
            self.limit = 0;
            return;
        };
        put_u32(self.out.b, pos, self.record as u32);
        put_u64(self.out.b, pos + 16, NO_TIME as u64);
        (self.event, self.bytes) = (Some(pos), 0);
        let most = self.out.pos + (MAX_FIELDS_PER_EVENT - 1) * FIELD_SIZE;
        self.limit = most.min(self.out.split - FIELD_SIZE) + 1;
        self.events += 1;
    }

    fn fields(&self) -> usize {
        self.event.map_or(0, |at| (self.out.pos - at - EVENT_SIZE) / FIELD_SIZE)
    }

    fn close(&mut self) {
        if let Some(at) = self.event {
            let n = self.fields();
            put_u32(self.out.b, at + 4, n as u32);
        }
    }

    /// Marks the current event as incomplete.
    #[cold]
    fn cut(&mut self) {
        if let Some(at) = self.event {
            self.out.b[at + 8] |= 1;
        }
    }

    /// Leaves a field out: the event has as many as it may have, or the batch does not fit.
    #[cold]
    fn no_room(&mut self) {
        if self.out.full || self.event.is_none() {
            return;
        }
        if self.fields() == MAX_FIELDS_PER_EVENT {
            self.cut();
        } else {
            self.out.full = true;
            self.limit = 0;
        }
    }

    pub fn set_time(&mut self, ns: i64) {
        if let Some(at) = self.event {
            put_u64(self.out.b, at + 16, ns as u64);
        }
    }

    /// Appends a text. What exceeds a limit of ABI 9.2 is cut or left out, and the event marked.
    #[inline]
    pub fn text(&mut self, name: Name, aux: u32, ty: Type, flags: u8, mut value: Range, span: Range) {
        if self.out.pos >= self.limit {
            return self.no_room();
        }
        if value.len > MAX_VALUE {
            value.len = MAX_VALUE;
            self.cut();
        }
        self.bytes += u64::from(value.len);
        self.sized(name, aux, ty, flags, value.bits(), span);
    }

    /// Appends what is no text.
    #[inline]
    pub fn number(&mut self, name: Name, aux: u32, ty: Type, value: u64, span: Range) {
        if self.out.pos >= self.limit {
            return self.no_room();
        }
        if name.0 == Name::IN_ARENA {
            self.sized(name, aux, ty, 0, value, span);
        } else {
            self.write(name, aux, ty, 0, value, span);
        }
    }

    /// Counts a name in the arena and writes the field when the event's texts are not too long together.
    #[inline]
    fn sized(&mut self, name: Name, aux: u32, ty: Type, flags: u8, value: u64, span: Range) {
        if name.0 == Name::IN_ARENA {
            self.bytes += u64::from(self.out.b[self.out.split + aux as usize]);
        }
        if self.bytes > MAX_EVENT_BYTES {
            return self.cut();
        }
        self.write(name, aux, ty, flags, value, span);
    }

    #[inline]
    fn write(&mut self, name: Name, aux: u32, ty: Type, flags: u8, value: u64, span: Range) {
        let pos = self.out.pos;
        let head = u64::from(name.0) | (ty as u64) << 16 | u64::from(flags) << 24 | u64::from(aux) << 32;
        let field: &mut [u8; FIELD_SIZE] = (&mut self.out.b[pos..pos + FIELD_SIZE]).try_into().unwrap();
        field[16..].copy_from_slice(&span.bits().to_le_bytes());
        field[8..16].copy_from_slice(&value.to_le_bytes());
        field[..8].copy_from_slice(&head.to_le_bytes());
        self.out.pos = pos + FIELD_SIZE;
    }

    /// Takes `n` bytes of the arena for the caller to fill.
    pub fn reserve(&mut self, n: usize) -> Option<(&mut [u8], u32)> {
        if self.out.reserve(n).is_none() {
            self.limit = 0;
            return None;
        }
        let start = self.out.split + self.out.heap - n;
        Some((&mut self.out.b[start..start + n], (self.out.heap - n) as u32))
    }

    /// Closes the current record. Any answer but events takes back what was emitted.
    pub fn end(&mut self, answer: Result<Outcome, Error>) {
        if self.out.full {
            return;
        }
        self.close();
        (self.event, self.limit) = (None, 0);
        let answer = match answer {
            Ok(Outcome::Events) if self.events - self.mark.2 > MAX_EVENTS_PER_RECORD => {
                Err("the record holds more events than a parser may emit".into())
            }
            Ok(Outcome::Events) if self.events == self.mark.2 => Ok(Outcome::NotMine),
            other => other,
        };
        let at = EVENTS_HEADER + self.record * OUTCOME_SIZE;
        let code = match answer {
            Ok(Outcome::Events) => return, // 0 is there already
            Ok(Outcome::NotMine) => 1,
            Ok(Outcome::Drop) => 2,
            Err(_) => 3,
        };
        (self.out.pos, self.out.heap, self.events) = self.mark;
        self.out.b[at] = code;
        if let Err(why) = &answer {
            let why = &why.0.as_bytes()[..why.0.len().min(MAX_MESSAGE)];
            if let (false, Some((b, off))) = (why.is_empty(), self.out.reserve(why.len())) {
                copy(b, why);
                put_u32(self.out.b, at + 4, off);
                put_u32(self.out.b, at + 8, why.len() as u32);
            }
        }
    }

    pub fn full(&self) -> bool {
        self.out.full
    }

    pub fn finish(mut self) -> Option<usize> {
        let start = self.out.join()?;
        let body = EVENTS_HEADER + self.records * OUTCOME_SIZE;
        let b = &mut *self.out.b;
        b[..4].copy_from_slice(b"VEB1");
        for (i, v) in
            [self.records, self.events, EVENTS_HEADER, body, start - body, start, self.out.heap].into_iter().enumerate()
        {
            put_u32(b, 8 + 4 * i, v as u32);
        }
        Some(start + self.out.heap)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// What the rule document says.
    Keep = 0,
    /// Worth knowing.
    Informational = 1,
    /// Look at it when there is time.
    Low = 2,
    /// Look at it today.
    Medium = 3,
    /// Look at it now.
    High = 4,
    /// Wake somebody.
    Critical = 5,
}

/// Takes what a rule has found in a row.
pub struct Findings<'a> {
    out: Out<'a>,
    row: usize,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Findings<'a> {
        Findings { out: Out::new(out, 4, FINDINGS_HEADER), row: 0 }
    }

    pub(crate) fn row(&mut self, i: usize) {
        self.row = i;
    }

    /// Reports a finding about the row. Texts that are not given keep what the rule document says.
    pub fn add(&mut self, severity: Severity) -> Finding<'_, 'a> {
        if self.out.pos >= FINDINGS_HEADER + MAX_FINDINGS * FINDING_SIZE {
            self.out.full = true;
        }
        let at = self.out.entry(FINDING_SIZE);
        if let Some(at) = at {
            put_u32(self.out.b, at, self.row as u32);
            self.out.b[at + 4] = severity as u8;
            for text in 0..3 {
                put_u32(self.out.b, at + 8 + 8 * text, self.out.heap as u32);
            }
        }
        Finding { findings: self, at }
    }

    pub(crate) fn finish(mut self) -> Option<usize> {
        let start = self.out.join()?;
        let b = &mut *self.out.b;
        b[..4].copy_from_slice(b"VFB1");
        for (i, v) in
            [(start - FINDINGS_HEADER) / FINDING_SIZE, FINDINGS_HEADER, start, self.out.heap].into_iter().enumerate()
        {
            put_u32(b, 8 + 4 * i, v as u32);
        }
        Some(start + self.out.heap)
    }
}

/// The texts of a finding, each given in pieces and at most 512 bytes long; what is longer is cut.
pub struct Finding<'f, 'a> {
    findings: &'f mut Findings<'a>,
    at: Option<usize>, // None when it does not fit
}

impl Finding<'_, '_> {
    /// What is found, in a few words.
    pub fn title(self, pieces: &[&[u8]]) -> Self {
        self.text(0, pieces)
    }

    /// Why it was found, shown to the operator.
    pub fn reason(self, pieces: &[&[u8]]) -> Self {
        self.text(1, pieces)
    }

    /// Added to the incident's key, to keep apart what the rule's key fields do not.
    pub fn key(self, pieces: &[&[u8]]) -> Self {
        self.text(2, pieces)
    }

    /// References of events that led to it ([`crate::Row::reference`]), at most 16, the newest last.
    pub fn evidence(self, references: &[&[u8]]) -> Self {
        if references.iter().all(|r| r.is_empty()) {
            return self;
        }
        self.text(3, references)
    }

    fn text(self, which: usize, pieces: &[&[u8]]) -> Self {
        let Some(at) = self.at else { return self };
        let out = &mut self.findings.out;
        let (off, mut len) = (out.heap, 0);
        for piece in pieces {
            let piece = &piece[..piece.len().min(MAX_TEXT - len)];
            let Some((b, _)) = out.reserve(piece.len()) else { return self };
            copy(b, piece);
            len += piece.len();
        }
        put_u32(out.b, at + 8 + 8 * which, off as u32);
        put_u32(out.b, at + 12 + 8 * which, len as u32);
        for later in which + 1..3 {
            put_u32(out.b, at + 8 + 8 * later, out.heap as u32);
        }
        self
    }
}

/// Writes what a monitor found (ABI 7.2).
pub(crate) struct Polled<'a> {
    out: Out<'a>,
}

impl<'a> Polled<'a> {
    pub fn new(out: &'a mut [u8]) -> Polled<'a> {
        Polled { out: Out::new(out, 1, POLLED_HEADER) }
    }

    pub fn record(&mut self, raw: &[u8]) {
        if raw.len() > MAX_RECORD_BYTES || self.out.pos >= POLLED_HEADER + MAX_POLLED * POLLED_SIZE {
            self.out.full = true;
        }
        let Some((b, off)) = self.out.reserve(raw.len()) else { return };
        copy(b, raw);
        if let Some(at) = self.out.entry(POLLED_SIZE) {
            put_u32(self.out.b, at, off);
            put_u32(self.out.b, at + 4, raw.len() as u32);
        }
    }

    pub fn finish(mut self, cursor: &[u8]) -> Option<usize> {
        let arena = self.out.heap;
        let (b, _) = self.out.reserve(cursor.len())?;
        copy(b, cursor);
        let start = self.out.join()?;
        let b = &mut *self.out.b;
        b[..4].copy_from_slice(b"VPO1");
        for (i, v) in
            [(start - POLLED_HEADER) / POLLED_SIZE, start, arena, start + arena, cursor.len()].into_iter().enumerate()
        {
            put_u32(b, 8 + 4 * i, v as u32);
        }
        Some(start + arena + cursor.len())
    }
}

#[cfg(test)]
#[path = "encode_test.rs"]
mod tests;
