use std::time::Duration;

use crate::kv::{self, Fault};
use crate::testing::{self, session, TableKind};
use crate::{table, window};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

fn at(after: Duration) -> i64 {
    1_700_000_000_000_000_000 + after.as_nanos() as i64
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
