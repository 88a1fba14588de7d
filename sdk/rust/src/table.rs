//! Looks keys up in the tables of the organization, for parsers and rules (ABI 14): watch lists, indicators, inventories,
//! users. A module names tables in its manifest, and a person grants each; a batch sees one version of them.

use crate::abi::u32_at;
use crate::kv::{checked, Fault};

#[cfg(not(target_family = "wasm"))]
use crate::fake as host;
#[cfg(target_family = "wasm")]
use crate::guest::tables as host;

/// The most keys that one [`matches`] takes.
pub const MAX_KEYS: usize = 1024;

/// Tells whether a key is in a table.
pub fn has(table: &str, key: &[u8]) -> Result<bool, Fault> {
    checked(host::set_match(table, &[key], &mut [0])).map(|n| n > 0)
}

/// Looks for keys, at most [`MAX_KEYS`], in a table. Bit k of `matched`, beginning with the lowest of byte 0, says whether
/// key k was found; `matched` has at least a byte for each 8 keys. It returns how many were.
pub fn matches(table: &str, keys: &[&[u8]], matched: &mut [u8]) -> Result<usize, Fault> {
    if keys.len() > MAX_KEYS || matched.len() * 8 < keys.len() {
        return Err(Fault::Limit);
    }
    checked(host::set_match(table, keys, matched)).map(|n| n as usize)
}

/// Reads the row of a key into `buf`.
pub fn get<'a>(table: &str, key: &[u8], buf: &'a mut [u8]) -> Result<Row<'a>, Fault> {
    let n = checked(host::lookup_get(table, key, buf))?;
    Ok(Row(&buf[..n as usize]))
}

/// The row of a key: names of columns and their values. The first one is the key as it stands in the table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a>(&'a [u8]);

impl<'a> Row<'a> {
    /// Names and values, in the order of the columns.
    pub fn cells(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let b = self.0;
        let text = move |at| &b[u32_at(b, at) as usize..][..u32_at(b, at + 4) as usize];
        let n = if b.len() < 8 { 0 } else { u32_at(b, 0) as usize };
        (0..n).map(move |i| (text(8 + 16 * i), text(16 + 16 * i)))
    }

    /// The value of a column.
    pub fn value(&self, column: &str) -> Option<&'a [u8]> {
        self.cells().find(|(name, _)| *name == column.as_bytes()).map(|(_, value)| value)
    }

    /// A row as the host writes it (ABI 14.3).
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn encode(cells: &[(&str, &str)]) -> Vec<u8> {
        let mut b = vec![0; 8 + 16 * cells.len()];
        b[..4].copy_from_slice(&(cells.len() as u32).to_le_bytes());
        for (i, (name, value)) in cells.iter().enumerate() {
            for (at, text) in [(8 + 16 * i, name), (16 + 16 * i, value)] {
                let off = b.len() as u32;
                b[at..at + 4].copy_from_slice(&off.to_le_bytes());
                b[at + 4..at + 8].copy_from_slice(&(text.len() as u32).to_le_bytes());
                b.extend_from_slice(text.as_bytes());
            }
        }
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::tests::golden;

    #[test]
    fn the_golden_row() {
        let want = golden("table/row");
        assert_eq!(Row::encode(&[("user", "eva"), ("department", "")]), want);
        let row = Row(&want);
        assert_eq!(
            (row.value("user"), row.value("department"), row.value("boss")),
            (Some(&b"eva"[..]), Some(&b""[..]), None)
        );
        assert_eq!(Row(b"").cells().count(), 0);
    }
}
