//! The emitter: what a parser calls for each field.

use std::net::Ipv4Addr;

use crate::encode::{copy, Events, Range, Type, LIST, MAX_NAME};
use crate::Name;

/// How a field is named: by a [`Name`], or by a [`Key`] that only the record knows.
pub trait FieldName {
    #[doc(hidden)]
    fn resolve(self, event: &mut Event) -> Option<(Name, u32)>;
}

impl FieldName for Name {
    #[inline]
    fn resolve(self, _: &mut Event) -> Option<(Name, u32)> {
        Some((self, 0))
    }
}

/// A field name that is made of a prefix and a key of the record, both in lower-case dotted form: `Key("labels.", key)`.
/// What exceeds 128 bytes is cut.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a>(pub &'a str, pub &'a [u8]);

impl FieldName for Key<'_> {
    fn resolve(self, event: &mut Event) -> Option<(Name, u32)> {
        let n = (self.0.len() + self.1.len()).min(MAX_NAME);
        if n == 0 {
            return None;
        }
        let (b, off) = event.encoder.reserve(n + 1)?;
        b[0] = n as u8;
        let prefix = &self.0.as_bytes()[..self.0.len().min(n)];
        let (head, tail) = b[1..].split_at_mut(prefix.len());
        copy(head, prefix);
        copy(tail, &self.1[..n - prefix.len()]);
        Some((Name(Name::IN_ARENA), off))
    }
}

/// Emits the fields of one event, straight into the memory that the host reads.
///
/// A value that is a slice of the record is not copied and is its own source span. For others `from` names the bytes of
/// the record that the value was made from; `&[]` when there are none. Empty texts are left out. What exceeds 500 fields,
/// 128 KiB of a value or 1 MiB of an event is cut or left out, and the event marked as incomplete.
pub struct Event<'a> {
    pub(crate) encoder: Events<'a>,
    raw: &'a [u8],
    open: bool,
}

impl<'a> Event<'a> {
    pub(crate) fn new(encoder: Events<'a>) -> Event<'a> {
        Event { encoder, raw: &[], open: false }
    }

    /// Begins record `i` of the batch.
    pub(crate) fn record(&mut self, i: usize, raw: &'a [u8]) {
        (self.raw, self.open) = (raw, false);
        self.encoder.begin(i);
    }

    /// Emits bytes, which the host makes valid UTF-8.
    #[inline]
    pub fn bytes(&mut self, name: impl FieldName, value: &[u8]) {
        self.put(name, 0, value, None);
    }

    /// Emits bytes that were made from the bytes `from` of the record.
    #[inline]
    pub fn bytes_from(&mut self, name: impl FieldName, value: &[u8], from: &[u8]) {
        self.put(name, 0, value, Some(from));
    }

    /// Emits a text, mostly a constant.
    #[inline]
    pub fn text(&mut self, name: impl FieldName, value: &str) {
        self.put(name, 0, value.as_bytes(), None);
    }

    /// Emits a text that was made from the bytes `from` of the record.
    #[inline]
    pub fn text_from(&mut self, name: impl FieldName, value: &str, from: &[u8]) {
        self.put(name, 0, value.as_bytes(), Some(from));
    }

    /// Appends an element to a list-valued field.
    #[inline]
    pub fn element(&mut self, name: impl FieldName, value: &[u8]) {
        self.put(name, LIST, value, None);
    }

    /// Appends an element that was made from the bytes `from` of the record.
    #[inline]
    pub fn element_from(&mut self, name: impl FieldName, value: &[u8], from: &[u8]) {
        self.put(name, LIST, value, Some(from));
    }

    /// Emits a signed number.
    #[inline]
    pub fn int(&mut self, name: impl FieldName, value: i64, from: &[u8]) {
        self.number(name, Type::Int, value as u64, from);
    }

    /// Emits an unsigned number.
    #[inline]
    pub fn uint(&mut self, name: impl FieldName, value: u64, from: &[u8]) {
        self.number(name, Type::Uint, value, from);
    }

    /// Emits a number with a fraction. Infinities and NaN are left out: the host refuses them.
    pub fn float(&mut self, name: impl FieldName, value: f64, from: &[u8]) {
        if value.is_finite() {
            self.number(name, Type::Float, value.to_bits(), from);
        }
    }

    /// Emits true or false.
    #[inline]
    pub fn bool(&mut self, name: impl FieldName, value: bool, from: &[u8]) {
        self.number(name, Type::Bool, value.into(), from);
    }

    /// Emits a point in time, nanoseconds since the Unix epoch.
    #[inline]
    pub fn timestamp(&mut self, name: impl FieldName, ns: i64, from: &[u8]) {
        self.number(name, Type::Time, ns as u64, from);
    }

    /// Emits an IPv4 address that is there as a number.
    pub fn ipv4(&mut self, name: impl FieldName, address: Ipv4Addr, from: &[u8]) {
        self.number(name, Type::Ipv4, u32::from(address).into(), from);
    }

    /// Says when the event happened, nanoseconds since the Unix epoch. Without it the host uses the receive time.
    pub fn time(&mut self, ns: i64) {
        self.begin();
        self.encoder.set_time(ns);
    }

    /// Ends this event; what is emitted next belongs to another one of the same record.
    pub fn next(&mut self) {
        self.open = false;
    }

    fn begin(&mut self) {
        if !self.open {
            self.open = true;
            self.encoder.event();
        }
    }

    /// The place of `v` in the record, or no place.
    fn span(&self, v: &[u8]) -> Range {
        let off = (v.as_ptr() as usize).wrapping_sub(self.raw.as_ptr() as usize);
        let size = self.raw.len();
        if v.is_empty() || off >= size || v.len() > size - off {
            return Range::NONE; // what lies before the record wraps around
        }
        Range { off: off as u32, len: v.len() as u32 }
    }

    fn put(&mut self, name: impl FieldName, flags: u8, value: &[u8], from: Option<&[u8]>) {
        if value.is_empty() {
            return;
        }
        let Some((name, aux)) = name.resolve(self) else { return };
        self.begin();
        let (mut ty, mut range) = (Type::InRecord, self.span(value));
        let span = from.map_or(range, |from| self.span(from));
        if range == Range::NONE {
            let Some((b, off)) = self.encoder.reserve(value.len()) else { return };
            copy(b, value);
            (ty, range) = (Type::InArena, Range { off, len: value.len() as u32 });
        }
        self.encoder.text(name, aux, ty, flags, range, span);
    }

    fn number(&mut self, name: impl FieldName, ty: Type, value: u64, from: &[u8]) {
        let Some((name, aux)) = name.resolve(self) else { return };
        self.begin();
        let span = self.span(from);
        self.encoder.number(name, aux, ty, value, span);
    }
}
