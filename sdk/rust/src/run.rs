//! One call: a batch in, an answer out. It is the same natively and in the sandbox.

use crate::abi::{Ask, Due, Records, Rows, Status, MAX_MESSAGE};
use crate::encode::{Events, Findings, Polled};
use crate::{Error, Event, Monitor, Parser, Poll, Rule};

/// A status and the number of bytes in OUT.
pub(crate) type Answer = (Status, usize);

fn answer(n: Option<usize>) -> Answer {
    n.map_or((Status::OutTooShort, 0), |n| (Status::Ok, n))
}

pub(crate) fn parse<'a>(parser: &impl Parser, input: &'a [u8], out: &'a mut [u8]) -> Answer {
    let Some(records) = Records::decode(input) else { return (Status::BadInput, 0) };
    let mut event = Event::new(Events::new(out, records.len()));
    for i in 0..records.len() {
        let Some(record) = records.get(i) else { return (Status::BadInput, 0) };
        event.record(i, record.raw);
        let outcome = parser.parse(&record, &mut event);
        event.encoder.end(outcome);
        if event.encoder.full() {
            return (Status::OutTooShort, 0);
        }
    }
    answer(event.encoder.finish())
}

pub(crate) fn eval(rule: &impl Rule, input: &[u8], out: &mut [u8]) -> Answer {
    let Some(rows) = Rows::decode(input) else { return (Status::BadInput, 0) };
    let mut findings = Findings::new(out);
    for i in 0..rows.len() {
        findings.row(i);
        rule.eval(&rows.get(i), &mut findings);
    }
    answer(findings.finish())
}

pub(crate) fn due(rule: &impl Rule, input: &[u8], out: &mut [u8]) -> Answer {
    let Some(due) = Due::decode(input) else { return (Status::BadInput, 0) };
    let mut findings = Findings::new(out);
    for i in 0..due.len() {
        let Some(timer) = due.get(i) else { return (Status::BadInput, 0) };
        findings.row(i);
        rule.due(&timer, &mut findings);
    }
    answer(findings.finish())
}

pub(crate) fn poll(monitor: &impl Monitor, input: &[u8], out: &mut [u8]) -> Answer {
    let Some(Ask { at, cursor, name }) = Ask::decode(input) else { return (Status::BadInput, 0) };
    let name = std::str::from_utf8(name).unwrap_or_default();
    let mut poll = Poll { at, cursor, name, encoder: Polled::new(out) };
    match monitor.poll(&mut poll) {
        Ok(cursor) => answer(poll.encoder.finish(&cursor)),
        Err(why) => (Status::Failed, message(out, &why)),
    }
}

/// Writes a reason to the beginning of OUT.
pub(crate) fn message(out: &mut [u8], why: &Error) -> usize {
    let n = why.0.len().min(MAX_MESSAGE).min(out.len());
    out[..n].copy_from_slice(&why.0.as_bytes()[..n]);
    n
}
