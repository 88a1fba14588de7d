//! Tries connections to granted devices, for monitors (ABI 17): TCP, TLS, DNS and ICMP echo.

use crate::reach::{ask, BROKEN};
use crate::Error;

const ROOM: usize = 64 << 10;

/// What a probe has found out: names and values, of which a name may stand there several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(Vec<(String, String)>);

impl Facts {
    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Every value of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The first value of a name as a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    fn decode(b: &[u8]) -> Result<Facts, Error> {
        let text = String::from_utf8_lossy(b);
        let words: Vec<&str> = text.split_terminator('\0').collect();
        if words.len() % 2 != 0 || !b.is_empty() && !b.ends_with(b"\0") {
            return Err(BROKEN.into());
        }
        Ok(Facts(words.chunks_exact(2).map(|w| (w[0].to_owned(), w[1].to_owned())).collect()))
    }
}

/// Writes an answer as the host does (ABI 17.2), for tests.
#[cfg(not(target_family = "wasm"))]
pub fn encode(facts: &[(&str, &str)]) -> Vec<u8> {
    facts.iter().flat_map(|(name, value)| [name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat()).collect()
}

/// Connects to a granted port. Facts: `elapsed_ns`.
pub fn tcp(target: &str, port: u16) -> Result<Facts, Error> {
    Facts::decode(&ask!(probe_tcp, target, port.to_string().as_bytes(), ROOM)?)
}

/// Connects to a granted port and shakes hands, whatever the certificate is worth. Facts: `elapsed_ns`, `version`, `cipher`,
/// `verified` ("true" or "false"), `problem`, `subject`, `issuer`, `serial`, `sha256`, `not_before`, `not_after`
/// (nanoseconds since the Unix epoch), `name` (several).
pub fn tls(target: &str, port: u16) -> Result<Facts, Error> {
    Facts::decode(&ask!(probe_tls, target, port.to_string().as_bytes(), ROOM)?)
}

/// Asks the target, a name server, for records of a type: A, AAAA, CNAME, MX, NS, PTR, SRV, TXT. Facts: `elapsed_ns`,
/// `status` (noerror, nxdomain, timeout or failure) and `answer` (several).
pub fn dns(target: &str, name: &str, kind: &str) -> Result<Facts, Error> {
    Facts::decode(&ask!(probe_dns, target, format!("{name} {kind}").as_bytes(), ROOM)?)
}

/// Sends 1 to 10 echo requests. Facts: `sent`, `received`, `min_ns`, `avg_ns`, `max_ns`.
pub fn ping(target: &str, count: u8) -> Result<Facts, Error> {
    Facts::decode(&ask!(probe_ping, target, count.to_string().as_bytes(), ROOM)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn facts() {
        testing::on_ask(|q| {
            assert_eq!((q.function, q.target, q.request), ("probe_dns", "server", &b"example.org MX"[..]));
            Ok(encode(&[("status", "noerror"), ("answer", "a"), ("answer", "b"), ("elapsed_ns", "7")]))
        });
        let f = dns("server", "example.org", "MX").unwrap();
        assert_eq!((f.get("status"), f.number("elapsed_ns"), f.get("none")), (Some("noerror"), Some(7), None));
        assert_eq!(f.all("answer").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(Facts::decode(b""), Ok(Facts::default()));
        for b in [&b"a\0"[..], b"a\0b", b"a"] {
            assert!(Facts::decode(b).is_err(), "{b:?}");
        }
    }
}
