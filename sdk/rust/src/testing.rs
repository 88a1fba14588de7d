//! Running a module natively, in `cargo test`: what the sandbox does with it, without the sandbox.
//!
//! ```
//! # use vedette::{ecs, Error, Event, Outcome, Parser, Record};
//! # #[derive(Default)]
//! # struct Door;
//! # impl Parser for Door {
//! #     fn parse(&self, record: &Record, event: &mut Event) -> Result<Outcome, Error> {
//! #         let Some(badge) = record.raw.strip_prefix(b"badge=") else { return Ok(Outcome::NotMine) };
//! #         event.bytes(ecs::USER_NAME, badge);
//! #         Ok(Outcome::Events)
//! #     }
//! # }
//! let parsed = vedette::testing::parse(&Door, b"badge=ada");
//! assert_eq!(parsed.get("user.name"), Some("ada"));
//! assert_eq!(parsed.events[0][0].span, Some(6..9));
//! ```

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use crate::abi::{
    u32_at, u64_at, Due, Rows, Status, CELL_SIZE, DUE_HEADER, NONE, POLL_HEADER, RECORDS_HEADER, RECORD_SIZE, REF_SIZE,
    ROWS_HEADER, TIMER_SIZE,
};
use crate::encode::{FIELD_SIZE, LIST};
use crate::http::Response;
use crate::{ecs, fake, run, Error, Monitor, Outcome, Parser, Rule, Severity};

/// Room for what a module answers to a few records.
const OUT: usize = 4 << 20;

/// What became of one record.
#[derive(Debug)]
pub struct Parsed {
    /// The outcome, or the message of a record that failed.
    pub outcome: Result<Outcome, String>,
    /// The fields of each event, in the order in which they were emitted.
    pub events: Vec<Vec<Field>>,
}

impl Parsed {
    /// The value of the first field of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.events.iter().flatten().find(|f| f.name == name).map(|f| f.value.as_str())
    }
}

/// One field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its dotted name; `#0` is the manifest's own name 0.
    pub name: String,
    /// The value as text: numbers in decimal, times in nanoseconds.
    pub value: String,
    /// It is one element of a list.
    pub list: bool,
    /// The bytes of the record that the value was made from.
    pub span: Option<Range<usize>>,
}

/// Has a parser read one record.
///
/// # Panics
///
/// When the answer is no event batch, which would be a fault of this SDK.
pub fn parse(parser: &impl Parser, raw: &[u8]) -> Parsed {
    let input = records(&[raw], 0);
    let mut out = vec![0; OUT];
    let n = run_parser(parser, &input, &mut out).expect("an answer of less than 4 MiB");
    parsed(&out[..n], raw)
}

fn parsed(b: &[u8], raw: &[u8]) -> Parsed {
    let at = |i| u32_at(b, i) as usize;
    let (outcomes, mut pos, arena) = (at(16), at(20), &b[at(28)..][..at(32)]);
    let outcome = match b[outcomes] {
        0 => Ok(Outcome::Events),
        1 => Ok(Outcome::NotMine),
        2 => Ok(Outcome::Drop),
        _ => Err(text(&arena[at(outcomes + 4)..][..at(outcomes + 8)])),
    };
    let events = (0..at(12)).map(|_| {
        let n = at(pos + 4);
        let fields = &b[pos + 32..][..n * FIELD_SIZE];
        pos += 32 + n * FIELD_SIZE;
        fields.chunks_exact(FIELD_SIZE).map(|f| field(f, arena, raw)).collect()
    });
    Parsed { events: events.collect(), outcome }
}

fn field(f: &[u8], arena: &[u8], raw: &[u8]) -> Field {
    let number = u16::from_le_bytes([f[0], f[1]]);
    let name = match number {
        0xFFFF => {
            let at = u32_at(f, 4) as usize;
            text(&arena[at + 1..][..arena[at].into()])
        }
        0x8000.. => format!("#{}", number - 0x8000),
        _ => ecs::name(number).expect("a well-known name").to_owned(),
    };
    let (off, len) = (u32_at(f, 8) as usize, u32_at(f, 12) as usize);
    let bits = u64_at(f, 8);
    let value = match f[2] {
        1 => text(&raw[off..][..len]),
        2 => text(&arena[off..][..len]),
        4 => bits.to_string(),
        5 => f64::from_bits(bits).to_string(),
        6 => (bits == 1).to_string(),
        8 => Ipv4Addr::from(bits as u32).to_string(),
        _ => (bits as i64).to_string(),
    };
    let (from, n) = (u32_at(f, 16), u32_at(f, 20));
    let span = (from != NONE).then(|| from as usize..(from + n) as usize);
    Field { name, value, list: f[3] & LIST != 0, span }
}

fn text(b: &[u8]) -> String {
    String::from_utf8_lossy(b).into_owned()
}

/// What a rule has found in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The row's index.
    pub row: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What was found; empty: what the rule document says.
    pub title: String,
    /// Why it was found.
    pub reason: String,
    /// What is added to the incident's key.
    pub key: String,
    /// References of events that led to it, 32 bytes each.
    pub evidence: Vec<u8>,
}

/// Has a rule look at rows; each is one event, its cells in the order of the manifest's `reads`.
///
/// # Panics
///
/// When the rows differ in length, or when there are more findings than a batch may have.
pub fn eval(rule: &impl Rule, rows: &[&[Option<&[u8]>]]) -> Vec<Found> {
    eval_at(rule, 0, rows)
}

/// Is [`eval`] of a batch at a log time, in nanoseconds: what the rule remembers is there for the next one in this thread.
///
/// # Panics
///
/// As [`eval`].
pub fn eval_at(rule: &impl Rule, at: i64, rows: &[&[Option<&[u8]>]]) -> Vec<Found> {
    let input = self::rows(rows, at);
    let mut out = vec![0; OUT];
    let n = run_rule(rule, &input, &mut out).expect("at most 4,096 findings");
    findings(&out[..n])
}

/// Lets log time, in nanoseconds, pass, and has the rule answer the timers that are due; a finding's row is the timer's place
/// among them.
///
/// # Panics
///
/// When there are more than 1,024, or more findings than a batch may have.
pub fn due_at(rule: &impl Rule, at: i64) -> Vec<Found> {
    let due = fake::take_due(at);
    let arena = DUE_HEADER + due.len() * TIMER_SIZE;
    let mut b = header(b"VDB1", arena, &[(8, due.len()), (12, DUE_HEADER), (16, arena)]);
    b[32..40].copy_from_slice(&at.to_le_bytes());
    for (i, (time, key)) in due.iter().enumerate() {
        let row = DUE_HEADER + i * TIMER_SIZE;
        b[row..row + 8].copy_from_slice(&time.to_le_bytes());
        append(&mut b, row + 8, arena, key);
    }
    let input = close(b, arena, 20);
    let mut out = vec![0; OUT];
    let n = run_due(rule, &input, &mut out).expect("at most 1,024 timers and 4,096 findings");
    findings(&out[..n])
}

fn findings(b: &[u8]) -> Vec<Found> {
    let arena = &b[u32_at(b, 16) as usize..];
    let table = &b[u32_at(b, 12) as usize..][..48 * u32_at(b, 8) as usize];
    let found = table.chunks_exact(48).map(|f| {
        let text = |at| text(&arena[u32_at(f, at) as usize..][..u32_at(f, at + 4) as usize]);
        let severity = [
            Severity::Keep,
            Severity::Informational,
            Severity::Low,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ];
        Found {
            row: u32_at(f, 0) as usize,
            severity: severity[usize::from(f[4])],
            title: text(8),
            reason: text(16),
            key: text(24),
            evidence: arena[u32_at(f, 32) as usize..][..u32_at(f, 36) as usize].to_vec(),
        }
    });
    found.collect()
}

/// What a monitor found in one poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// The records that it handed over.
    pub records: Vec<Vec<u8>>,
    /// What the next poll gets.
    pub cursor: Vec<u8>,
}

/// Has a monitor poll once at log time `at`.
///
/// # Panics
///
/// When the records have more than some MiB.
pub fn poll(monitor: &impl Monitor, at: i64, cursor: &[u8]) -> Result<Polled, Error> {
    let mut out = vec![0; OUT];
    let n = match run::poll(monitor, &poll_input(at, cursor), &mut out) {
        (Status::Ok, n) => n,
        (Status::Failed, n) => return Err(text(&out[..n]).into()),
        (status, _) => panic!("{status:?}"),
    };
    let b = &out[..n];
    let part =
        |table: &[u8], at, from: &[u8]| from[u32_at(table, at) as usize..][..u32_at(table, at + 4) as usize].to_vec();
    let arena = part(b, 12, b);
    let table = &b[32..][..8 * u32_at(b, 8) as usize];
    Ok(Polled { records: table.chunks_exact(8).map(|r| part(r, 0, &arena)).collect(), cursor: part(b, 20, b) })
}

/// The status of ABI 2.4 that a call ended with, never 0.
pub type BadStatus = i32;

fn checked((status, n): run::Answer) -> Result<usize, BadStatus> {
    match status {
        Status::Ok => Ok(n),
        bad => Err(bad as i32),
    }
}

/// Answers a record batch exactly as the module's `vedette_parse` does and returns the bytes written to `out`.
pub fn run_parser(parser: &impl Parser, input: &[u8], out: &mut [u8]) -> Result<usize, BadStatus> {
    checked(run::parse(parser, input, out))
}

/// Answers a batch of rows exactly as the module's `vedette_eval` does.
pub fn run_rule(rule: &impl Rule, input: &[u8], out: &mut [u8]) -> Result<usize, BadStatus> {
    let at = Rows::decode(input).map_or(0, |r| r.log_time());
    session(at, || checked(run::eval(rule, input, out)))
}

/// Answers a batch of timers exactly as the module's `vedette_due` does.
pub fn run_due(rule: &impl Rule, input: &[u8], out: &mut [u8]) -> Result<usize, BadStatus> {
    let at = Due::decode(input).map_or(0, |d| d.now());
    session(at, || checked(run::due(rule, input, out)))
}

/// Answers a poll exactly as the module's `vedette_poll` does; after status −4 the reason is in `out`.
pub fn run_monitor(monitor: &impl Monitor, input: &[u8], out: &mut [u8]) -> Result<usize, BadStatus> {
    checked(run::poll(monitor, input, out))
}

/// A record batch (ABI 4) of records from one sender, all received at `received`.
pub fn records(raw: &[&[u8]], received: i64) -> Vec<u8> {
    let heap = RECORDS_HEADER + raw.len() * RECORD_SIZE;
    let mut b = header(b"VRB1", heap, &[(8, raw.len()), (12, RECORDS_HEADER), (16, heap)]);
    b[32..40].copy_from_slice(&received.to_le_bytes());
    for (i, raw) in raw.iter().enumerate() {
        let row = RECORDS_HEADER + i * RECORD_SIZE;
        append(&mut b, row, heap, raw);
        append(&mut b, row + 8, heap, b"test");
        b[row + 16..row + 24].copy_from_slice(&received.to_le_bytes());
    }
    close(b, heap, 20)
}

/// A batch of rows (ABI 6.1) whose events all happened at `time`.
pub fn rows(rows: &[&[Option<&[u8]>]], time: i64) -> Vec<u8> {
    let columns = rows.first().map_or(0, |r| r.len());
    assert!(rows.iter().all(|r| r.len() == columns), "rows differ in length");
    let size = 8 + columns * CELL_SIZE;
    let refs = ROWS_HEADER + rows.len() * size;
    let heap = refs + rows.len() * REF_SIZE;
    let mut b = header(b"VEP1", heap, &[(8, rows.len()), (12, columns), (16, ROWS_HEADER), (20, heap), (28, refs)]);
    b[40..48].copy_from_slice(&time.to_le_bytes());
    for (i, row) in rows.iter().enumerate() {
        let at = ROWS_HEADER + i * size;
        b[at..at + 8].copy_from_slice(&time.to_le_bytes());
        b[refs + i * REF_SIZE..][..8].copy_from_slice(&(i as u64 + 1).to_le_bytes());
        for (c, cell) in row.iter().enumerate() {
            let at = at + 8 + c * CELL_SIZE;
            match cell {
                Some(cell) => append(&mut b, at, heap, cell),
                None => b[at + 4..at + 8].fill(0xFF),
            }
        }
    }
    close(b, heap, 24)
}

fn poll_input(at: i64, cursor: &[u8]) -> Vec<u8> {
    let mut b = header(b"VPI1", POLL_HEADER, &[(24, POLL_HEADER), (28, cursor.len())]);
    b[16..24].copy_from_slice(&at.to_le_bytes());
    b.extend_from_slice(cursor);
    b
}

fn header(magic: &[u8; 4], size: usize, words: &[(usize, usize)]) -> Vec<u8> {
    let mut b = vec![0; size];
    b[..4].copy_from_slice(magic);
    for &(at, v) in words {
        b[at..at + 4].copy_from_slice(&(v as u32).to_le_bytes());
    }
    b
}

/// Appends bytes to the heap and writes where they are to `at`.
fn append(b: &mut Vec<u8>, at: usize, heap: usize, bytes: &[u8]) {
    let off = (b.len() - heap) as u32;
    b[at..at + 4].copy_from_slice(&off.to_le_bytes());
    b[at + 4..at + 8].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    b.extend_from_slice(bytes);
}

fn close(mut b: Vec<u8>, heap: usize, at: usize) -> Vec<u8> {
    let n = (b.len() - heap) as u32;
    b[at..at + 4].copy_from_slice(&n.to_le_bytes());
    b
}

type Answer = Box<dyn FnMut(&str, &str) -> Result<Response, Error>>;

thread_local! {
    static ANSWER: RefCell<Option<Answer>> = const { RefCell::new(None) };
}

/// Says what [`crate::http::get`] answers in this thread: it is given the target and the path.
pub fn on_fetch(answer: impl FnMut(&str, &str) -> Result<Response, Error> + 'static) {
    ANSWER.set(Some(Box::new(answer)));
}

/// Runs what calls [`crate::kv`] and [`crate::window`] as one batch at a log time, in nanoseconds: what it has changed is
/// taken back when it fails. [`eval`] does so for a rule. State belongs to the thread and begins empty.
pub fn session<T, E>(at: i64, batch: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    fake::session(at, batch)
}

/// How the keys of a table are compared (ABI 14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// Byte for byte.
    Exact,
    /// Without regard to the case of ASCII letters.
    NoCase,
    /// Keys are addresses and networks; an address is found in the narrowest network that holds it.
    Cidr,
    /// Keys are domains; a name is found in the longest domain that is the name or ends it.
    Domain,
}

impl TableKind {
    /// How well a row's key fits a key that is looked for.
    pub(crate) fn rank(self, row: &[u8], key: &[u8]) -> Option<usize> {
        match self {
            TableKind::Exact => (row == key).then_some(0),
            TableKind::NoCase => row.eq_ignore_ascii_case(key).then_some(0),
            TableKind::Cidr => {
                let (row, key) = (std::str::from_utf8(row).ok()?, std::str::from_utf8(key).ok()?);
                let (net, bits) = row.split_once('/').map_or((row, None), |(n, b)| (n, b.parse().ok()));
                let (net, net_bits) = address(net)?;
                let (key, key_bits) = address(key)?;
                let bits = bits.unwrap_or(net_bits).min(net_bits);
                let differ = (net ^ key).checked_shr(net_bits - bits).unwrap_or(0);
                (net_bits == key_bits && differ == 0).then_some(bits as usize)
            }
            TableKind::Domain => {
                let (row, key) = (domain(row), domain(key));
                let at = key.len().checked_sub(row.len())?;
                (key[at..] == row[..] && (at == 0 || key[at - 1] == b'.')).then_some(row.len())
            }
        }
    }
}

/// An address as a number, and how many bits it has.
fn address(text: &str) -> Option<(u128, u32)> {
    Some(match text.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(a) => (u32::from(a).into(), 32),
        IpAddr::V6(a) => (a.into(), 128),
    })
}

fn domain(name: &[u8]) -> Vec<u8> {
    name.strip_suffix(b".").unwrap_or(name).to_ascii_lowercase()
}

/// Grants a table to this thread, in the place of one of that name. The first column is the key.
pub fn table(name: &str, kind: TableKind, columns: &[&str], rows: &[&[&str]]) {
    fake::table(name, kind, columns, rows);
}

/// What a monitor asks of a target.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Capability and function, such as `snmp_get`, `ssh_run`, `probe_tls` or `config_compare`.
    pub function: &'a str,
    /// The name of the target.
    pub target: &'a str,
    /// The request as the host reads it (ABI 15 to 18).
    pub request: &'a [u8],
}

type OnAsk = Box<dyn FnMut(Ask) -> Result<Vec<u8>, Error>>;

thread_local! {
    static ON_ASK: RefCell<Option<OnAsk>> = const { RefCell::new(None) };
}

/// Says what [`crate::snmp`], [`crate::ssh`], [`crate::probe`] and [`crate::config`] are answered in this thread. Each has a
/// function `encode` that makes an answer.
pub fn on_ask(answer: impl FnMut(Ask) -> Result<Vec<u8>, Error> + 'static) {
    ON_ASK.set(Some(Box::new(answer)));
}

/// What the host does with a request, natively (ABI 8.3).
pub(crate) fn ask(function: &str, target: &str, request: &[u8], out: &mut [u8]) -> u64 {
    let answer = ON_ASK.with_borrow_mut(|f| match f {
        Some(f) => f(Ask { function, target, request }),
        None => Err("E_DENIED: nothing outside in a native run; see testing::on_ask".into()),
    });
    match answer {
        Ok(b) => {
            let n = b.len().min(out.len());
            out[..n].copy_from_slice(&b[..n]);
            n as u64
        }
        Err(why) => u64::from(u32::MAX) << 32 | run::message(out, &why) as u64,
    }
}

/// What the host does with a request over HTTP, natively (ABI 8.3).
pub(crate) fn fetch(target: &str, path: &str, out: &mut [u8]) -> u64 {
    let answer = ANSWER.with_borrow_mut(|f| match f {
        Some(f) => f(target, path),
        None => Err("E_DENIED: no HTTP in a native run; see testing::on_fetch".into()),
    });
    let r = match answer {
        Ok(r) => r,
        Err(why) => return u64::from(u32::MAX) << 32 | run::message(out, &why) as u64,
    };
    let n = r.body.len().min(out.len() - 24);
    out[..4].copy_from_slice(&r.status.to_le_bytes());
    out[8..16].copy_from_slice(&r.elapsed_ns.to_le_bytes());
    out[16..24].copy_from_slice(&r.tls_not_after.to_le_bytes());
    out[24..24 + n].copy_from_slice(&r.body[..n]);
    24 + n as u64
}
