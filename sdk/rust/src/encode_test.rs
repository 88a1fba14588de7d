//! The encoders write what was written by hand from ABI.md, keep its limits, and say so when something does not fit.

use super::*;
use crate::abi::tests::golden;
use crate::abi::{u32_at, u64_at};
use crate::{ecs, Event, Key};

/// Emits what events.hex says about its three records.
fn write_golden(out: &mut [u8]) -> Option<usize> {
    let raw = br#"user=ann port=22 x=a\"b"#;
    let mut e = Event::new(Events::new(out, 3));
    e.record(0, raw);
    e.time(5);
    e.bytes(Name(1), &raw[5..8]);
    e.uint(Name(2), 22, &raw[14..16]);
    e.element_from(Name(3), b"a\"b", &raw[19..23]);
    e.element(Name(3), b"xy");
    e.bool(Key("kv.", b"trusted!"), true, b"");
    e.float(Name::local(0), 1.5, b"");
    e.float(Name::local(0), f64::NAN, b"");
    e.ipv4(Name(4), [192, 0, 2, 1].into(), b"");
    e.next();
    e.int(Name(5), -1, b"elsewhere");
    e.text(Name(6), "");
    e.encoder.end(Ok(Outcome::Events));
    e.record(1, b"x");
    e.bytes(Name(1), b"taken back");
    e.encoder.end(Ok(Outcome::NotMine));
    e.record(2, b"y");
    e.encoder.end(Err("bad quote".into()));
    e.encoder.finish()
}

#[test]
fn events() {
    let mut want = golden("abi/events");
    want[104] = 0; // by hand, the event is marked as cut
    let mut out = vec![0xAA; 1024];
    let n = write_golden(&mut out).unwrap();
    assert_eq!(out[..n], want);
}

#[test]
fn whatever_the_size_the_batch_is_whole_or_refused() {
    let want = golden("abi/events").len();
    for size in 0..1024 {
        match write_golden(&mut vec![0; size]) {
            Some(n) => assert!(n == want && size >= want, "{size} bytes"),
            None => assert!(size < 1000, "{size} bytes"),
        }
    }
}

#[test]
fn findings() {
    let mut out = vec![0xAA; 1024];
    let mut f = Findings::new(&mut out);
    f.row(1);
    f.add(Severity::High).title(&[b"gu", b"", b"ess"]).reason(&[b"9 time"]).key(&[b"ann"]);
    f.row(0);
    f.add(Severity::Keep);
    let n = f.finish().unwrap();
    for at in [88, 96, 104] {
        out[at..at + 8].fill(0); // by hand, empty texts stand at 0
    }
    assert_eq!(out[..n], golden("abi/findings"));
}

#[test]
fn timed() {
    let mut out = vec![0xAA; 1024];
    let mut f = Findings::new(&mut out);
    f.row(1);
    let reference = &golden("abi/referred")[64..96];
    f.add(Severity::Low).title(&[b"late"]).reason(&[b"3s"]).key(&[b"a.b=1\n", b"c=x=y"]).evidence(&[reference]);
    let n = f.finish().unwrap();
    assert_eq!(out[..n], golden("abi/timed"));
}

#[test]
fn polled() {
    let mut out = vec![0xAA; 1024];
    let mut p = Polled::new(&mut out);
    p.record(b"one");
    p.record(b"no");
    let n = p.finish(&[0xc0, 0xde]).unwrap();
    assert_eq!(out[..n], golden("abi/polled"));
}

/// Encodes one record and returns the batch.
fn one_record(raw: &[u8], emit: impl FnOnce(&mut Event)) -> Vec<u8> {
    let mut out = vec![0; 8 << 20];
    let mut e = Event::new(Events::new(&mut out, 1));
    e.record(0, raw);
    emit(&mut e);
    e.encoder.end(Ok(Outcome::Events));
    let n = e.encoder.finish().unwrap();
    out.truncate(n);
    out
}

const EVENT: usize = EVENTS_HEADER + OUTCOME_SIZE;

#[test]
fn one_over_each_limit_of_an_event() {
    for (over, marked) in [(0, 0), (1, 1)] {
        let b = one_record(b"", |e| (0..MAX_FIELDS_PER_EVENT + over).for_each(|_| e.int(Name(1), 1, b"")));
        assert_eq!((u32_at(&b, EVENT + 4), u32_at(&b, EVENT + 8)), (500, marked), "fields");

        let b = one_record(b"", |e| e.bytes(Name(1), &vec![b'v'; MAX_VALUE as usize + over]));
        assert_eq!((u64_at(&b, EVENT + 40) >> 32, u32_at(&b, EVENT + 8)), (u64::from(MAX_VALUE), marked), "a value");

        let b = one_record(b"", |e| {
            for _ in 0..8 {
                e.bytes(Name(1), &vec![b'v'; MAX_VALUE as usize]);
            }
            (0..over).for_each(|_| e.text(Name(1), "v"));
        });
        assert_eq!((u32_at(&b, EVENT + 4), u32_at(&b, EVENT + 8)), (8, marked), "an event's texts");

        let b = one_record(b"", |e| e.bytes(Key("k.", &vec![b'n'; MAX_NAME - 2 + over]), b"v"));
        assert_eq!(usize::from(b[u32_at(&b, 28) as usize]), MAX_NAME, "a name");

        let b = one_record(b"", |e| {
            for _ in 0..MAX_EVENTS_PER_RECORD + over {
                e.next();
                e.text(ecs::EVENT_DATASET, "x");
            }
        });
        assert_eq!((b[EVENTS_HEADER], u32_at(&b, 12)), if over == 0 { (0, 256) } else { (3, 0) }, "events");
    }
}

#[test]
fn one_over_each_limit_of_other_batches() {
    let mut out = vec![0; 8 << 20];
    for over in [0, 1] {
        let mut f = Findings::new(&mut out);
        (0..MAX_FINDINGS + over).for_each(|_| {
            f.add(Severity::Low);
        });
        assert_eq!(f.finish().is_some(), over == 0, "findings");

        let mut f = Findings::new(&mut out);
        f.add(Severity::Low).title(&[&[b't'; 300], &vec![b't'; MAX_TEXT - 300 + over]]);
        f.finish().unwrap();
        assert_eq!(u32_at(&out, 44), 512, "a title");

        let mut p = Polled::new(&mut out);
        (0..MAX_POLLED + over).for_each(|_| p.record(b"r"));
        assert_eq!(p.finish(b"").is_some(), over == 0, "records");

        let mut p = Polled::new(&mut out);
        p.record(&vec![b'r'; MAX_RECORD_BYTES + over]);
        assert_eq!(p.finish(b"").is_some(), over == 0, "a record");
    }
    let mut e = Events::new(&mut out, 1);
    e.begin(0);
    e.end(Err("m".repeat(MAX_MESSAGE + 1).into()));
    assert_eq!(e.finish().map(|_| u32_at(&out, EVENTS_HEADER + 8)), Some(1024), "a message");
}
