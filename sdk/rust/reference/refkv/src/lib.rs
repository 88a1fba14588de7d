//! The reference parser of the Rust SDK: lines such as
//!
//! ```text
//! ref ts=1709294400250 user=ann port=22 tags=vpn,admin msg="say \"hi\""
//! ```
//!
//! It shows typed fields, values that are unescaped, source spans, lists, several events of one record, and every outcome.
//! The same parser in Go and C gives the same bytes.

use vedette::{ecs, scan, Error, Event, Key, Name, Outcome, Parser, Record};

/// The parser.
#[derive(Default)]
pub struct RefKv;

vedette::export_parser!(RefKv);

/// The first of the manifest's own names.
const LEVEL: Name = Name::local(0);

/// The longest value that is freed of its backslashes; longer ones keep them.
const MAX_ESCAPED: usize = 4096;

impl Parser for RefKv {
    fn parse(&self, record: &Record, event: &mut Event) -> Result<Outcome, Error> {
        let Some(mut rest) = record.raw.strip_prefix(b"ref ") else {
            return Ok(Outcome::NotMine);
        };
        if rest.first() == Some(&b'#') {
            return Ok(Outcome::Drop); // a comment
        }
        event.text(ecs::EVENT_DATASET, "ref.kv");
        while let Some((&c, behind)) = rest.split_first() {
            match c {
                b' ' => rest = behind,
                b';' => {
                    event.next();
                    event.text(ecs::EVENT_DATASET, "ref.kv");
                    rest = behind;
                }
                _ => {
                    let (pair, behind) = Pair::cut(rest)?;
                    pair.emit(event)?;
                    rest = behind;
                }
            }
        }
        Ok(Outcome::Events)
    }
}

/// A pair: slices of the record.
struct Pair<'a> {
    key: &'a [u8],
    value: &'a [u8],
    escaped: bool, // the value holds backslashes that hide a character
}

impl<'a> Pair<'a> {
    /// Cuts a pair off the beginning of `b` and returns what is behind it.
    fn cut(b: &'a [u8]) -> Result<(Pair<'a>, &'a [u8]), Error> {
        let n = scan::either(b, b'=', b' ').filter(|&n| b[n] == b'=').ok_or("a word is no pair")?;
        if n == 0 {
            return Err("a pair has no key".into());
        }
        let (key, b) = (&b[..n], &b[n + 1..]);
        let Some(b) = b.strip_prefix(b"\"") else {
            let n = scan::byte(b, b' ').unwrap_or(b.len());
            return Ok((Pair { key, value: &b[..n], escaped: false }, &b[n..]));
        };
        let (mut i, mut escaped) = (0, false);
        while let Some(n) = b.get(i..).and_then(|rest| scan::either(rest, b'"', b'\\')) {
            i += n;
            if b[i] == b'"' {
                return Ok((Pair { key, value: &b[..i], escaped }, &b[i + 1..]));
            }
            escaped = true;
            i += 2; // over a backslash and what it hides
        }
        Err("a quote is not closed".into())
    }

    fn emit(&self, event: &mut Event) -> Result<(), Error> {
        if self.escaped && self.value.len() <= MAX_ESCAPED {
            self.emit_unescaped(event)
        } else {
            self.emit_value(event, self.value)
        }
    }

    #[inline(never)] // only a value with backslashes pays for the buffer
    fn emit_unescaped(&self, event: &mut Event) -> Result<(), Error> {
        let mut buffer = [0; MAX_ESCAPED];
        let (mut n, mut bytes) = (0, self.value.iter());
        while let Some(&c) = bytes.next() {
            buffer[n] = match c {
                b'\\' => *bytes.next().unwrap_or(&c),
                c => c,
            };
            n += 1;
        }
        self.emit_value(event, &buffer[..n])
    }

    /// Writes the field of the pair; `value` is its value without backslashes.
    fn emit_value(&self, event: &mut Event, value: &[u8]) -> Result<(), Error> {
        let from = self.value;
        match self.key {
            b"ts" => event.time(milliseconds(value).ok_or("ts is no time")?),
            b"start" => event.timestamp(ecs::EVENT_START, milliseconds(value).ok_or("start is no time")?, from),
            b"user" => event.bytes_from(ecs::USER_NAME, value, from),
            b"src" => event.bytes_from(ecs::SOURCE_IP, value, from),
            b"port" => {
                let port = scan::uint(value).filter(|&n| n <= 65535).ok_or("port is no port")?;
                event.uint(ecs::SOURCE_PORT, port, from);
            }
            b"exit" => {
                let code = scan::int(value).filter(|n| n.unsigned_abs() <= 1 << 31).ok_or("exit is no exit code")?;
                event.int(ecs::PROCESS_EXIT_CODE, code, from);
            }
            b"tty" => match value {
                b"yes" => event.bool(ecs::PROCESS_INTERACTIVE, true, from),
                b"no" => event.bool(ecs::PROCESS_INTERACTIVE, false, from),
                _ => return Err("tty is neither yes nor no".into()),
            },
            b"tags" => {
                for tag in value.split(|&c| c == b',') {
                    event.element_from(ecs::TAGS, tag, if self.escaped { from } else { tag });
                }
            }
            b"level" => event.bytes_from(LEVEL, value, from),
            key => event.bytes_from(Key("ref.", key), value, from),
        }
        Ok(())
    }
}

/// Reads a time since the Unix epoch and returns it in nanoseconds; it ends in the year 2248.
fn milliseconds(value: &[u8]) -> Option<i64> {
    let ms = scan::uint(value).filter(|&n| n < 1 << 43)?;
    Some(ms as i64 * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vedette::testing;

    #[test]
    fn fields_and_spans() {
        let p = testing::parse(&RefKv, br#"ref user="a \"b\"" port=22 tags=x,y other=z"#);
        assert_eq!(p.outcome, Ok(Outcome::Events));
        let fields: Vec<_> = p.events[0].iter().map(|f| (f.name.as_str(), f.value.as_str(), f.span.clone())).collect();
        assert_eq!(
            fields,
            [
                ("event.dataset", "ref.kv", None),
                ("user.name", "a \"b\"", Some(10..17)),
                ("source.port", "22", Some(24..26)),
                ("tags", "x", Some(32..33)),
                ("tags", "y", Some(34..35)),
                ("ref.other", "z", Some(42..43)),
            ]
        );
    }

    #[test]
    fn outcomes() {
        assert_eq!(testing::parse(&RefKv, b"other").outcome, Ok(Outcome::NotMine));
        assert_eq!(testing::parse(&RefKv, b"ref # a comment").outcome, Ok(Outcome::Drop));
        assert_eq!(testing::parse(&RefKv, b"ref port=65536").outcome, Err("port is no port".to_owned()));
        assert_eq!(testing::parse(&RefKv, b"ref a=1;b=2 ;c=3").events.len(), 2);
    }
}
