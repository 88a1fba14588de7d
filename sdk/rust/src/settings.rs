//! The settings that a tenant gave a module.

use crate::scan;

/// The settings: a JSON object that passed the manifest's schema, or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a>(&'a [u8]);

impl<'a> Settings<'a> {
    /// Reads settings from their JSON. The SDK does this; tests do it too.
    pub fn new(json: &'a [u8]) -> Settings<'a> {
        Settings(json)
    }

    /// The JSON itself, for a module that reads it with a library.
    pub fn json(&self) -> &'a [u8] {
        self.0
    }

    /// The string of a member of the object; `None` when there is none or it is no string.
    pub fn string(&self, member: &str) -> Option<String> {
        let text = self.get(member)?.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(unescape(text))
    }

    /// The whole number of a member.
    pub fn int(&self, member: &str) -> Option<i64> {
        scan::int(self.get(member)?)
    }

    /// The truth value of a member.
    pub fn bool(&self, member: &str) -> Option<bool> {
        match self.get(member)? {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// The JSON of a member.
    pub fn get(&self, member: &str) -> Option<&'a [u8]> {
        let mut rest = trim(self.0).strip_prefix(b"{")?;
        loop {
            rest = trim(rest);
            rest = trim(rest.strip_prefix(b",").unwrap_or(rest));
            let n = value_len(rest)?;
            let name = unescape(rest[..n].strip_prefix(b"\"")?.strip_suffix(b"\"")?);
            rest = trim(trim(&rest[n..]).strip_prefix(b":")?);
            let n = value_len(rest)?;
            if name == member {
                return Some(&rest[..n]);
            }
            rest = &rest[n..];
        }
    }
}

fn trim(b: &[u8]) -> &[u8] {
    b.trim_ascii_start()
}

/// The length of the string that `b` begins with, quotes included.
fn string_len(b: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += scan::either(b.get(at..)?, b'"', b'\\')?;
        if b[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The length of the JSON value that `b` begins with.
fn value_len(b: &[u8]) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    while at < b.len() {
        match b[at] {
            b'"' => at += string_len(&b[at..])? - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return (at > 0).then_some(at),
            _ => {}
        }
        at += 1;
        if depth == 0 && matches!(b[at - 1], b'"' | b'}' | b']') {
            return Some(at);
        }
    }
    None
}

/// The text of a JSON string.
fn unescape(b: &[u8]) -> String {
    let mut text = Vec::with_capacity(b.len());
    let (mut at, mut high) = (0, 0);
    while at < b.len() {
        if b[at] != b'\\' || at + 1 == b.len() {
            text.push(b[at]);
            at += 1;
            continue;
        }
        at += 2;
        let c = match b[at - 1] {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let digits = b.get(at..at + 4).and_then(|d| std::str::from_utf8(d).ok());
                let unit = digits.and_then(|d| u32::from_str_radix(d, 16).ok()).unwrap_or(0xFFFD);
                at += 4;
                match unit {
                    0xD800..=0xDBFF => {
                        high = unit - 0xD800;
                        continue;
                    }
                    0xDC00..=0xDFFF => char::from_u32(0x10000 + (high << 10) + (unit - 0xDC00)),
                    _ => char::from_u32(unit),
                }
                .unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            c => c as char,
        };
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        let s = Settings::new(br#" { "a": "x\"\u00e9\ud83d\ude00\n", "n":-12,"deep":{"a":[1,"}"],"n":5} , "on":true,"off" : false, "last":"" }"#);
        assert_eq!(s.string("a").as_deref(), Some("x\"é😀\n"));
        assert_eq!(s.int("n"), Some(-12));
        assert_eq!(s.bool("on"), Some(true));
        assert_eq!(s.bool("off"), Some(false));
        assert_eq!(s.string("last").as_deref(), Some(""));
        assert_eq!(s.get("deep"), Some(&br#"{"a":[1,"}"],"n":5}"#[..]));
        assert_eq!((s.string("n"), s.int("a"), s.bool("n"), s.get("none")), (None, None, None, None));
    }

    #[test]
    fn nothing_hangs_or_panics() {
        let whole = br#"{"a":"\u12","b":[{"c":"\\"}],"d":1}"#;
        for n in 0..=whole.len() {
            let s = Settings::new(&whole[..n]);
            let _ = (s.string("a"), s.int("d"), s.bool("b"), s.get("none"));
        }
        assert_eq!(Settings::new(b"").get("a"), None);
        assert_eq!(Settings::new(b"{}").get("a"), None);
    }
}
