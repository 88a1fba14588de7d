//! Nothing is allocated per event, proven by an allocator that counts.
#![allow(unsafe_code)] // an allocator cannot be written without

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use vedette::{ecs, scan, testing, Error, Event, Findings, Key, Outcome, Parser, Record, Row, Rule, Severity};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: it is the system's allocator; counting in a thread-local cell without a destructor allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        System.dealloc(p, layout)
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(f: impl FnOnce()) -> usize {
    let before = COUNT.get();
    f();
    COUNT.get() - before
}

#[derive(Default)]
struct Everything;

impl Parser for Everything {
    fn parse(&self, r: &Record, e: &mut Event) -> Result<Outcome, Error> {
        let at = scan::byte(r.raw, b'=').ok_or("no pair")?;
        let (key, value) = (&r.raw[..at], &r.raw[at + 1..]);
        e.time(r.received);
        e.bytes(ecs::USER_NAME, value);
        e.text_from(ecs::EVENT_DATASET, "all", key);
        e.element(ecs::TAGS, value);
        e.bytes(Key("labels.", key), value);
        e.int(ecs::PROCESS_EXIT_CODE, -1, value);
        e.next();
        e.uint(ecs::SOURCE_PORT, scan::uint(value).ok_or("no number")?, value);
        Ok(Outcome::Events)
    }
}

impl Rule for Everything {
    fn eval(&self, row: &Row, f: &mut Findings) {
        let who = row.get(0).unwrap_or_default();
        f.add(Severity::Low).title(&[b"seen"]).reason(&[who, b" was seen"]).key(&[who]);
    }
}

#[test]
fn none_per_event() {
    let mut out = vec![0; 1 << 20];
    let lines: Vec<&[u8]> = [&b"port=22"[..], b"nothing", b"port=x"].repeat(100);
    let input = testing::records(&lines, 1);
    assert_eq!(
        allocations(|| {
            testing::run_parser(&Everything, &input, &mut out).unwrap();
        }),
        0
    );

    let row: &[Option<&[u8]>] = &[Some(b"ann")];
    let input = testing::rows(&[row; 100], 1);
    assert_eq!(
        allocations(|| {
            testing::run_rule(&Everything, &input, &mut out).unwrap();
        }),
        0
    );

    assert_eq!(allocations(|| drop(vec![0])), 1, "the counter counts");
}
