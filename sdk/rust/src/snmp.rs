//! Reads variables of granted devices, for monitors (ABI 15): the host knows address, community and keys.

use crate::abi::{u32_at, u64_at};
use crate::reach::{ask, BROKEN};
use crate::Error;

const HEADER: usize = 16;
const ROW: usize = 24;
const ROOM: usize = 512 << 10;

/// One variable of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Dotted decimal, without a dot in front.
    pub oid: String,
    /// What it holds.
    pub value: Value,
}

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Octets.
    Text(Vec<u8>),
    /// A signed number.
    Int(i64),
    /// A counter or a gauge.
    Uint(u64),
    /// Hundredths of a second.
    Ticks(u64),
    /// "1.3.6.1".
    Oid(String),
    /// "192.0.2.1".
    Address(String),
    /// The device does not have it.
    Absent,
}

impl Value {
    /// The number that it is.
    pub fn number(&self) -> Option<i128> {
        match *self {
            Value::Int(n) => Some(n.into()),
            Value::Uint(n) | Value::Ticks(n) => Some(n.into()),
            _ => None,
        }
    }
}

/// Reads variables by their OIDs, at most 64. The answer has one for each, in that order.
pub fn get(target: &str, oids: &[&str]) -> Result<Vec<Variable>, Error> {
    decode(&ask!(snmp_get, target, oids.join(" ").as_bytes(), ROOM)?).map(|(vars, _)| vars)
}

/// Reads all variables below an OID. The second part of the answer says that the device has more of them than the host
/// hands over.
pub fn walk(target: &str, oid: &str) -> Result<(Vec<Variable>, bool), Error> {
    decode(&ask!(snmp_walk, target, oid.as_bytes(), ROOM)?)
}

fn decode(b: &[u8]) -> Result<(Vec<Variable>, bool), Error> {
    if b.len() < HEADER || &b[..4] != b"VSN1" {
        return Err(BROKEN.into());
    }
    let rows = b[HEADER..].chunks_exact(ROW).take(u32_at(b, 4) as usize);
    if rows.len() < u32_at(b, 4) as usize {
        return Err(BROKEN.into());
    }
    let vars = rows.map(|row| variable(b, row)).collect::<Option<_>>().ok_or(BROKEN)?;
    Ok((vars, u32_at(b, 8) & 1 != 0))
}

fn variable(b: &[u8], row: &[u8]) -> Option<Variable> {
    let bytes = |at| {
        let (off, n) = (u32_at(row, at) as usize, u32_at(row, at + 4) as usize);
        b.get(off..off.checked_add(n)?)
    };
    let text = |at| bytes(at).map(|t| String::from_utf8_lossy(t).into_owned());
    let value = match u32_at(row, 8) {
        1 => Value::Text(bytes(16)?.to_vec()),
        2 => Value::Int(u64_at(row, 16) as i64),
        3 => Value::Uint(u64_at(row, 16)),
        4 => Value::Ticks(u64_at(row, 16)),
        5 => Value::Oid(text(16)?),
        6 => Value::Address(text(16)?),
        7 => Value::Absent,
        _ => return None,
    };
    Some(Variable { oid: text(0)?, value })
}

/// Writes an answer as the host does (ABI 15.3), for tests.
#[cfg(not(target_family = "wasm"))]
pub fn encode(vars: &[Variable], more: bool) -> Vec<u8> {
    let mut b = vec![0; HEADER + vars.len() * ROW];
    b[..4].copy_from_slice(b"VSN1");
    b[4..8].copy_from_slice(&(vars.len() as u32).to_le_bytes());
    b[8] = more.into();
    for (i, v) in vars.iter().enumerate() {
        let at = HEADER + i * ROW;
        place(&mut b, at, v.oid.as_bytes());
        let (kind, number) = match &v.value {
            Value::Text(t) => (1, place(&mut b, at + 16, t)),
            Value::Int(n) => (2, *n as u64),
            Value::Uint(n) => (3, *n),
            Value::Ticks(n) => (4, *n),
            Value::Oid(t) => (5, place(&mut b, at + 16, t.as_bytes())),
            Value::Address(t) => (6, place(&mut b, at + 16, t.as_bytes())),
            Value::Absent => (7, 0),
        };
        b[at + 8] = kind;
        b[at + 16..at + 24].copy_from_slice(&number.to_le_bytes());
    }
    b
}

/// Appends a text, writes where it is to `at`, and returns that.
#[cfg(not(target_family = "wasm"))]
fn place(b: &mut Vec<u8>, at: usize, text: &[u8]) -> u64 {
    let range = b.len() as u64 | (text.len() as u64) << 32;
    b[at..at + 8].copy_from_slice(&range.to_le_bytes());
    b.extend_from_slice(text);
    range
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::tests::golden;

    #[test]
    fn the_golden_answer() {
        let want = golden("capabilities/snmp");
        let variable = |oid: &str, value| Variable { oid: oid.to_owned(), value };
        let vars = vec![
            variable("1.3.6.1.2.1.1.1.0", Value::Text(b"box".to_vec())),
            variable("1.3.6.1.2.1.2.2.1.7.1", Value::Int(-1)),
            variable("1.3", Value::Absent),
        ];
        assert_eq!(encode(&vars, true), want);
        assert_eq!(decode(&want).unwrap(), (vars, true));
        for n in 0..want.len() {
            assert!(decode(&want[..n]).is_err(), "the first {n} bytes");
        }
    }

    #[test]
    fn every_type() {
        let values =
            [Value::Uint(u64::MAX), Value::Ticks(5), Value::Oid("1.3".into()), Value::Address("192.0.2.1".into())];
        let vars: Vec<_> = values.into_iter().map(|value| Variable { oid: "1.3.6".into(), value }).collect();
        assert_eq!(decode(&encode(&vars, false)).unwrap(), (vars, false));
    }
}
