//! Has the host keep texts of a device, such as its configuration, and say what has changed (ABI 18).

use crate::abi::u32_at;
use crate::reach::{ask, BROKEN};
use crate::Error;

const HEADER: usize = 32;
const ROOM: usize = HEADER + 256 + (32 << 10);

/// What a text is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base<'a> {
    /// The version before.
    Previous,
    /// The version that a person has declared right.
    Blessed,
    /// The newest text of another name of the target.
    Other(&'a str),
}

/// How a text stands to the other one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// They are the same.
    #[default]
    Same,
    /// They differ.
    Changed,
    /// There is none to compare with.
    Missing,
}

/// What [`compare`] answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// How the text stands to the other one.
    pub state: State,
    /// `diff` is not all of it.
    pub cut: bool,
    /// Lines that the text has and the other one has not.
    pub added: u32,
    /// Lines that the other one has and the text has not.
    pub removed: u32,
    /// Digest of the text, "sha256:…".
    pub version: String,
    /// Digest of the text that it was compared with.
    pub base: String,
    /// The difference in unified form, at most 32 KiB.
    pub diff: Vec<u8>,
}

/// Hands a text over, to be kept as the newest version of its name when the poll has succeeded, and tells how it differs
/// from another.
pub fn compare(target: &str, name: &str, base: Base, text: &[u8]) -> Result<Difference, Error> {
    let base = match base {
        Base::Previous => String::new(),
        Base::Blessed => "blessed".to_owned(),
        Base::Other(name) => format!("@{name}"),
    };
    let request = [name.as_bytes(), b"\0", base.as_bytes(), b"\0", text].concat();
    Difference::decode(&ask!(config_compare, target, &request, ROOM)?)
}

impl Difference {
    fn decode(b: &[u8]) -> Result<Difference, Error> {
        if b.len() < HEADER {
            return Err(BROKEN.into());
        }
        let state = [State::Same, State::Changed, State::Missing].get(u32_at(b, 0) as usize).ok_or(BROKEN)?;
        let mut rest = &b[HEADER..];
        let mut part = |at| {
            let (head, tail) = rest.split_at_checked(u32_at(b, at) as usize).ok_or(BROKEN)?;
            rest = tail;
            Ok::<&[u8], Error>(head)
        };
        let (version, base, diff) = (part(16)?, part(20)?, part(24)?);
        let text = |t| String::from_utf8_lossy(t).into_owned();
        Ok(Difference {
            state: *state,
            cut: u32_at(b, 4) & 1 != 0,
            added: u32_at(b, 8),
            removed: u32_at(b, 12),
            version: text(version),
            base: text(base),
            diff: diff.to_vec(),
        })
    }

    /// Writes an answer as the host does (ABI 18.2), for tests.
    #[cfg(not(target_family = "wasm"))]
    pub fn encode(&self) -> Vec<u8> {
        let n = |n: usize| n as u32;
        let head = [
            self.state as u32,
            self.cut.into(),
            self.added,
            self.removed,
            n(self.version.len()),
            n(self.base.len()),
            n(self.diff.len()),
            0,
        ];
        let mut b: Vec<u8> = head.iter().flat_map(|w| w.to_le_bytes()).collect();
        for part in [self.version.as_bytes(), self.base.as_bytes(), &self.diff] {
            b.extend_from_slice(part);
        }
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_comparison() {
        let d = Difference {
            state: State::Changed,
            cut: true,
            added: 2,
            removed: 1,
            version: "sha256:a".into(),
            base: "sha256:b".into(),
            diff: b"@@ -1 +1 @@\n".to_vec(),
        };
        let answer = d.encode();
        testing::on_ask(move |q| {
            assert_eq!(
                (q.function, q.target, q.request),
                ("config_compare", "router", &b"startup\0@running\0text"[..])
            );
            Ok(answer.clone())
        });
        assert_eq!(compare("router", "startup", Base::Other("running"), b"text"), Ok(d.clone()));
        let b = d.encode();
        for n in 0..b.len() {
            assert!(Difference::decode(&b[..n]).is_err(), "the first {n} bytes");
        }
    }
}
