//! Reads "door=DOOR badge=USER result=open|refused".

use vedette::{ecs, Error, Event, Outcome, Parser, Record};

#[derive(Default)]
struct Door;

vedette::export_parser!(Door);

impl Parser for Door {
    fn parse(&self, record: &Record, event: &mut Event) -> Result<Outcome, Error> {
        let mut words = record.raw.split(|&c| c == b' ');
        let mut value = |key: &[u8]| words.next()?.strip_prefix(key)?.strip_prefix(b"=");
        let (Some(door), Some(badge), Some(result)) = (value(b"door"), value(b"badge"), value(b"result")) else {
            return Ok(Outcome::NotMine);
        };
        event.text(ecs::EVENT_DATASET, "@NAME@.log");
        event.bytes(ecs::OBSERVER_NAME, door);
        event.bytes(ecs::USER_NAME, badge);
        event.bytes(ecs::EVENT_ACTION, result);
        Ok(Outcome::Events)
    }
}

#[test]
fn a_door_that_opens() {
    let parsed = vedette::testing::parse(&Door, b"door=north badge=ada result=open");
    assert_eq!(parsed.get("user.name"), Some("ada"));
}
