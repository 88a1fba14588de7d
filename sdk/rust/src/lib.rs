//! What a Vedette module is written against: a [`Parser`] turns records into events, a [`Rule`] turns events into
//! findings, a [`Monitor`] is asked from time to time and hands over records.
//!
//! A module is a `cdylib` that implements one of the traits and exports it:
//!
//! ```
//! use vedette::{ecs, Error, Event, Outcome, Parser, Record};
//!
//! #[derive(Default)]
//! struct Door;
//!
//! impl Parser for Door {
//!     fn parse(&self, record: &Record, event: &mut Event) -> Result<Outcome, Error> {
//!         let Some(badge) = record.raw.strip_prefix(b"badge=") else {
//!             return Ok(Outcome::NotMine);
//!         };
//!         event.text(ecs::EVENT_DATASET, "door.log");
//!         event.bytes(ecs::USER_NAME, badge);
//!         Ok(Outcome::Events)
//!     }
//! }
//!
//! vedette::export_parser!(Door);
//! ```
//!
//! `cargo build --release --target wasm32-unknown-unknown` makes the module; natively the same code runs in
//! `cargo test` (see [`testing`]).
//!
//! The host restores the module's memory before every call, so nothing that a call leaves behind is ever seen again. That
//! is why the traits take `&self`: the answer to a record depends on nothing but the record and the settings.
//!
//! Values that are slices of the record are not copied and carry their source span by themselves, so that a person can be
//! shown where a field comes from. Fields go straight into the memory that the host reads: nothing is allocated per event.
//! A panic is written to the module's log with its file and line, and fails one record, not the module.
//!
//! What a module may do beside answering is a capability that its manifest asks for, a person grants, and the module names
//! by using it: a rule remembers by [`kv`] and [`window`] and is woken by [`timer`]; parsers and rules look keys up by [`table`]; monitors reach devices
//! by [`http`], [`snmp`], [`ssh`] and [`probe`] and have texts compared by [`config`]. Natively, [`testing`] plays the host.
//!
//! Clause numbers in comments are those of the module ABI, `sdk/ABI.md`.

mod abi;
pub mod config;
pub mod ecs;
mod encode;
mod event;
#[cfg(not(target_family = "wasm"))]
mod fake;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;
pub mod http;
pub mod json;
pub mod kv;
pub mod probe;
mod reach;
mod run;
pub mod scan;
mod settings;
pub mod snmp;
pub mod ssh;
pub mod table;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod timer;
pub mod window;

pub use abi::{Record, Row};
pub use encode::{Finding, Findings, Severity};
pub use event::{Event, FieldName, Key};
pub use settings::Settings;

use std::borrow::Cow;
use std::fmt;

/// The number of a field name: a well-known one of [`ecs`], or one of the manifest's `names` ([`Name::local`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name(pub(crate) u16);

impl Name {
    pub(crate) const IN_ARENA: u16 = 0xFFFF;

    /// The manifest's own name number `index`, in the order of its `names`.
    pub const fn local(index: u16) -> Name {
        assert!(index < 0x7FFF, "a manifest has fewer names");
        Name(0x8000 + index)
    }
}

/// What became of a record. A record that is recognised but broken is an [`Error`] instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has the events that were emitted. Without any it counts as [`Outcome::NotMine`].
    Events,
    /// Another parser should be asked.
    NotMine,
    /// Recognised, and known to be of no value.
    Drop,
}

/// Why a record, a poll or the settings cannot be used: one sentence for a person, at most 1,024 bytes of it are kept.
///
/// It is made of a text, so that `?` and `.ok_or("port is no port")?` work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Cow<'static, str>);

impl From<&'static str> for Error {
    fn from(why: &'static str) -> Error {
        Error(Cow::Borrowed(why))
    }
}

impl From<String> for Error {
    fn from(why: String) -> Error {
        Error(Cow::Owned(why))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A parser reads records. Make it a module with [`export_parser!`].
pub trait Parser: Default {
    /// Takes the settings, once, before the first record. An error refuses them.
    fn init(&mut self, settings: &Settings) -> Result<(), Error> {
        let _ = settings;
        Ok(())
    }

    /// Fills `event` with the fields of one event ([`Event::next`] begins another) and says what became of the record.
    /// What was emitted is taken back unless it answers [`Outcome::Events`].
    fn parse(&self, record: &Record, event: &mut Event) -> Result<Outcome, Error>;
}

/// A rule looks at projected events. Make it a module with [`export_rule!`].
pub trait Rule: Default {
    /// Takes the settings, once, before the first row. An error refuses them.
    fn init(&mut self, settings: &Settings) -> Result<(), Error> {
        let _ = settings;
        Ok(())
    }

    /// Calls [`Findings::add`] for each finding. Columns of the row are the manifest's `reads`, in order.
    fn eval(&self, row: &Row, findings: &mut Findings);

    /// Answers a timer that it has set ([`timer`]). A finding needs severity, title, evidence, and a key of lines
    /// `field=value`: it stands for an event with these fields (ABI 20.6).
    fn due(&self, timer: &timer::Timer, findings: &mut Findings) {
        let _ = (timer, findings);
    }
}

/// A monitor polls. Make it a module with [`export_monitor!`].
pub trait Monitor: Default {
    /// Takes the settings, once, before the first poll. An error refuses them.
    fn init(&mut self, settings: &Settings) -> Result<(), Error> {
        let _ = settings;
        Ok(())
    }

    /// Calls [`Poll::record`] for each record that it found and returns the cursor, which the next poll gets back. After
    /// an error nothing of the poll counts and the cursor stays what it was.
    fn poll(&self, poll: &mut Poll) -> Result<Vec<u8>, Error>;
}

/// One poll of a monitor.
pub struct Poll<'a> {
    /// Log time, nanoseconds since the Unix epoch.
    pub at: i64,
    /// What the last successful poll returned; empty before the first.
    pub cursor: &'a [u8],
    /// The name of what is polled, as people know it; empty when it has none.
    pub name: &'a str,
    pub(crate) encoder: encode::Polled<'a>,
}

impl Poll<'_> {
    /// Hands a record to the host; it enters by the queue like any sender's. At most 1 MiB.
    pub fn record(&mut self, raw: &[u8]) {
        self.encoder.record(raw);
    }
}

/// How urgent a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the author.
    Debug = 0,
    /// For whoever reads along.
    Info = 1,
    /// Something is not as it should be.
    Warning = 2,
    /// Something failed.
    Error = 3,
}

/// Writes a line to the module's log (`vedette module logs`); natively to standard error. The host cuts and counts what
/// exceeds its budget.
pub fn log(level: Level, line: &str) {
    #[cfg(target_family = "wasm")]
    guest::log(level as u32, line);
    #[cfg(not(target_family = "wasm"))]
    eprintln!("{level:?}: {line}");
}

/// Makes a type that is a [`Parser`] the module.
#[macro_export]
macro_rules! export_parser {
    ($module:ty) => {
        $crate::export_module!($module, Parser, vedette_parse, parse, 0);
    };
}

/// Makes a type that is a [`Rule`] the module; `export_rule!(Module, timers)` one that sets timers.
#[macro_export]
macro_rules! export_rule {
    ($module:ty) => {
        $crate::export_module!($module, Rule, vedette_eval, eval, 0);
    };
    ($module:ty, timers) => {
        $crate::export_module!($module, Rule, vedette_eval, eval, 0, vedette_due, due);
    };
}

/// Makes a type that is a [`Monitor`] the module.
#[macro_export]
macro_rules! export_monitor {
    ($module:ty) => {
        $crate::export_module!($module, Monitor, vedette_poll, poll, 192 << 10); // a body and a record
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! export_module {
    ($module:ty, $kind:ident, $entry:ident, $run:ident, $spare:expr $(, $more:ident, $call:ident)?) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)] // an export has a name that nothing else may have
        mod vedette_exports {
            use super::*;
            static GUEST: $crate::guest::Guest<$module> = $crate::guest::Guest::new();

            #[no_mangle]
            extern "C" fn vedette_abi_1() {}

            #[no_mangle]
            extern "C" fn vedette_buffers(input: u32, output: u32) -> u64 {
                GUEST.buffers(input, output, $spare)
            }

            #[no_mangle]
            extern "C" fn vedette_init(n: u32) -> u64 {
                GUEST.init(n, <$module as $crate::$kind>::init)
            }

            #[no_mangle]
            extern "C" fn $entry(n: u32) -> u64 {
                GUEST.$run(n)
            }
            $(
                #[no_mangle]
                extern "C" fn $more(n: u32) -> u64 {
                    GUEST.$call(n)
                }
            )?
        }
    };
}
