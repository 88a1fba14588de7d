use std::time::Duration;

use crate::kv::{self, Fault};
use crate::testing::{self, session, TableKind};
use crate::{table, timer, window};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

fn at(after: Duration) -> i64 {
    1_700_000_000_000_000_000 + after.as_nanos() as i64
}

/// A rule that reports who did not come back within a minute.
#[derive(Default)]
struct Absent;

impl crate::Rule for Absent {
    fn eval(&self, row: &crate::Row, _: &mut crate::Findings) {
        let who = row.get(0).unwrap();
        if row.get(1) == Some(b"in") {
            timer::cancel(who).unwrap();
            return;
        }
        kv::put(who, row.reference().unwrap(), kv::FOREVER).unwrap();
        timer::set(who, row.log_time() + 60_000_000_000).unwrap();
    }

    fn due(&self, t: &timer::Timer, findings: &mut crate::Findings) {
        let mut seen = [0; 32];
        let seen = kv::get(t.key, &mut seen).unwrap();
        findings.add(crate::Severity::Low).title(&[t.key, b" is gone"]).key(&[b"user.name=", t.key]).evidence(&[seen]);
    }
}

#[test]
fn timers() {
    let row = |who: &'static [u8], what: &'static [u8]| [Some(who), Some(what)];
    let minute = 60_000_000_000;
    testing::eval_at(
        &Absent,
        1,
        &[&row(b"bob", b"out"), &row(b"ann", b"out"), &row(b"eve", b"out"), &row(b"eve", b"in")],
    );
    assert_eq!(testing::due_at(&Absent, minute), []);
    let found = testing::due_at(&Absent, minute + 1);
    let said: Vec<_> = found.iter().map(|f| (f.title.as_str(), f.key.as_str(), f.evidence[0])).collect();
    assert_eq!(said, [("ann is gone", "user.name=ann", 2), ("bob is gone", "user.name=bob", 1)]);
    assert_eq!(testing::due_at(&Absent, 2 * minute), []);
    assert_eq!(timer::set(b"", 1), Err(kv::Fault::Limit));
}

#[test]
fn keys() {
    let mut buf = [0; 4];
    session(at(Duration::ZERO), || {
        assert_eq!(kv::get(b"a", &mut buf), Err(Fault::Absent));
        kv::put(b"a", b"one", HOUR)?;
        assert_eq!(kv::get(b"a", &mut buf)?, b"one");
        kv::put(b"a", b"three", kv::FOREVER)?;
        assert_eq!(kv::get(b"a", &mut buf), Err(Fault::Short));
        assert_eq!((kv::delete(b"a")?, kv::delete(b"a")?), (true, false));
        assert_eq!((kv::add(b"n", 5, HOUR)?, kv::add(b"n", -7, HOUR)?), (5, -2));
        assert_eq!(kv::add(b"n", i64::MIN, HOUR), Err(Fault::Limit));
        assert_eq!(kv::put(b"", b"", HOUR), Err(Fault::Limit));
        assert_eq!(kv::put(b"k", b"", 401 * 24 * HOUR), Err(Fault::Limit));
        assert!(kv::swap(b"c", None, Some(b"1"), HOUR)? && !kv::swap(b"c", None, Some(b"2"), HOUR)?);
        assert!(kv::swap(b"c", Some(b"1"), None, HOUR)?);
        assert_eq!(kv::get(b"c", &mut buf), Err(Fault::Absent));
        Ok::<(), Fault>(())
    })
    .unwrap();
    session(at(HOUR), || {
        assert_eq!(kv::get(b"n", &mut buf), Err(Fault::Absent)); // its time has come
        Ok::<(), Fault>(())
    })
    .unwrap();
    assert_eq!(kv::put(b"k", b"", HOUR), Err(Fault::Limit), "outside of a batch");
}

#[test]
fn windows() {
    let count = |n| window::count(b"a", 3 * MINUTE, MINUTE, n);
    session(at(Duration::ZERO), || {
        assert_eq!((count(2)?, count(3)?), (2, 5));
        assert_eq!(window::count(b"a", 65 * MINUTE, MINUTE, 1), Err(Fault::Limit));
        assert_eq!((window::distinct(b"a", b"x", HOUR)?, window::distinct(b"a", b"y", HOUR)?), (1, 2));
        assert!(window::first_seen(b"a", HOUR)? && !window::first_seen(b"a", HOUR)?);
        assert_eq!((window::step(b"a", 2, HOUR)?, window::step(b"a", 1, HOUR)?), (0, 0));
        assert_eq!(
            (window::step(b"a", 3, HOUR)?, window::step(b"a", 2, HOUR)?, window::step(b"a", 0, HOUR)?),
            (1, 1, 2)
        );
        Ok::<(), Fault>(())
    })
    .unwrap();
    let failed = session(at(MINUTE), || {
        assert_eq!(count(1)?, 6);
        Err::<(), Fault>(Fault::Limit)
    });
    assert!(failed.is_err());
    session(at(2 * MINUTE + Duration::from_secs(39)), || {
        assert_eq!(count(0)?, 5); // what failed is taken back
        Ok::<(), Fault>(())
    })
    .unwrap();
    session(at(HOUR), || {
        assert_eq!((count(0)?, window::distinct(b"a", b"z", HOUR)?), (0, 1));
        assert!(window::first_seen(b"a", HOUR)?);
        Ok::<(), Fault>(())
    })
    .unwrap();
}

#[test]
fn tables() {
    testing::table("users", TableKind::NoCase, &["user", "boss"], &[&["eva", "ann"], &["bob", ""]]);
    testing::table(
        "nets",
        TableKind::Cidr,
        &["net", "name"],
        &[&["10.0.0.0/8", "wide"], &["10.1.0.0/16", "narrow"], &["::1", "six"]],
    );
    testing::table("bad", TableKind::Domain, &["domain"], &[&["evil.example"]]);
    let mut matched = [0; 1];
    assert_eq!(table::matches("users", &[b"EVA", b"x", b"bob"], &mut matched), Ok(2));
    assert_eq!(matched, [5]);
    for (name, key, want) in [
        ("users", "Bob", Ok(true)),
        ("users", "bo", Ok(false)),
        ("nets", "10.9.9.9", Ok(true)),
        ("nets", "11.0.0.1", Ok(false)),
        ("nets", "::1", Ok(true)),
        ("nets", "host", Ok(false)),
        ("bad", "A.evil.example.", Ok(true)),
        ("bad", "notevil.example", Ok(false)),
        ("none", "x", Err(Fault::Denied)),
    ] {
        assert_eq!(table::has(name, key.as_bytes()), want, "{name} {key}");
    }
    let mut buf = [0; 128];
    assert_eq!(table::get("nets", b"10.1.2.3", &mut buf).unwrap().value("name"), Some(&b"narrow"[..]));
    assert_eq!(table::get("users", b"x", &mut buf).unwrap_err(), Fault::Absent);
    assert_eq!(table::get("users", b"eva", &mut buf[..20]).unwrap_err(), Fault::Short);
    assert_eq!(table::matches("users", &[&b"x"[..]; 9], &mut matched), Err(Fault::Limit));
}
