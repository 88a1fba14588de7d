//! The golden vectors of `sdk/testdata/abi`, which were written by hand from ABI.md: the views read what they mean, and
//! refuse every listed change of them and every prefix.

use super::*;

/// The bytes of NAME.hex: hexadecimal text with comments that begin with `#`.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    let digits: String = vector(&format!("{name}.hex"))
        .lines()
        .map(|l| l.split('#').next().unwrap_or_default().replace(' ', ""))
        .collect();
    unhex(&digits)
}

fn vector(file: &str) -> String {
    let path = format!("{}/../testdata/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}: run this test in the whole repository"))
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
}

/// Every listed change of a batch, by its reason. NAME.json has one to a line.
fn broken(name: &str) -> Vec<(String, Vec<u8>)> {
    let text = vector(&format!("{name}.json"));
    let good = golden(name);
    let member = |line: &str, member: &str| {
        let (_, rest) = line.split_once(&format!("\"{member}\": ")).unwrap();
        rest.trim_start_matches('"').split(['"', ',', '}']).next().unwrap().to_owned()
    };
    let lines = text.lines().filter(|l| l.contains("\"clause\""));
    let changed: Vec<_> = lines
        .map(|line| {
            let (mut bad, at) = (good.clone(), member(line, "at").parse::<usize>().unwrap());
            let patch = unhex(&member(line, "hex"));
            bad[at..at + patch.len()].copy_from_slice(&patch);
            (member(line, "why"), bad)
        })
        .collect();
    assert!(changed.len() > 2, "{name}.json lists no changes");
    changed
}

fn refused(name: &str, accepts: impl Fn(&[u8]) -> bool) {
    let good = golden(name);
    assert!(accepts(&good));
    for (why, bad) in broken(name) {
        assert!(!accepts(&bad), "{name}: {why}");
    }
    for n in 0..good.len() {
        assert!(!accepts(&good[..n]), "{name}: the first {n} bytes");
    }
}

#[test]
fn records() {
    let b = golden("abi/records");
    let r = Records::decode(&b).unwrap();
    assert_eq!(r.len(), 2);
    let (one, two) = (r.get(0).unwrap(), r.get(1).unwrap());
    assert_eq!((one.raw, one.source, one.received, one.truncated), (&b"a=1 \xff"[..], &b"tcp :1"[..], 1, false));
    assert_eq!((two.raw, two.source, two.received, two.truncated), (&b"b=2\0"[..], &b"udp :2"[..], 2, true));
    refused("abi/records", |b| Records::decode(b).is_some_and(|r| (0..r.len()).all(|i| r.get(i).is_some())));
}

#[test]
fn rows() {
    let b = golden("abi/rows");
    let r = Rows::decode(&b).unwrap();
    assert_eq!(r.len(), 2);
    let cells = |i: usize| [0, 1, 2].map(|c| r.get(i).get(c));
    assert_eq!((r.get(0).time(), cells(0)), (3, [Some(&b"root"[..]), None, Some(b"10.0.")]));
    assert_eq!((r.get(0).log_time(), r.get(1).log_time()), (8, 8));
    assert_eq!((r.get(1).time(), cells(1)), (-1, [None, None, Some(&b"root"[..])]));
    refused("abi/rows", |b| Rows::decode(b).is_some());
}

#[test]
fn references() {
    let b = golden("abi/referred");
    let r = Rows::decode(&b).unwrap();
    assert_eq!((r.len(), r.get(0).get(0), r.get(0).reference()), (1, Some(&b"x"[..]), Some(&b[64..96])));
    assert_eq!(Rows::decode(&golden("abi/rows")).unwrap().get(0).reference(), None);
    refused("abi/referred", |b| Rows::decode(b).is_some_and(|r| r.get(0).reference().is_some()));
}

#[test]
fn due() {
    let b = golden("abi/due");
    let d = Due::decode(&b).unwrap();
    let now = 1_000_000_000;
    assert_eq!((d.len(), d.get(0)), (2, Some(Timer { key: b"ann", at: 8, now })));
    assert_eq!(d.get(1), Some(Timer { key: b"bob", at: now, now }));
    refused("abi/due", |b| Due::decode(b).is_some());
}

#[test]
fn poll() {
    let mut b = golden("abi/poll");
    assert_eq!(Ask::decode(&b), Some(Ask { at: 10, cursor: b"abc", name: b"" }));
    refused("abi/poll", |b| Ask::decode(b).is_some());
    b[32] = b[24]; // the name where the cursor is
    b[36] = 2;
    assert_eq!(Ask::decode(&b).unwrap().name, b"ab");
    b[36] = 4;
    assert_eq!(Ask::decode(&b), None);
}
