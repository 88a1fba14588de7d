//! Asks the granted target for its front page and reports what it answered.

use vedette::{http, json, Error, Monitor, Poll};

#[derive(Default)]
struct Check;

vedette::export_monitor!(Check);

impl Monitor for Check {
    fn poll(&self, poll: &mut Poll) -> Result<Vec<u8>, Error> {
        let answer = match http::get("target", "/") {
            Ok(r) => format!(r#""success","http.response.status_code":{}"#, r.status),
            Err(why) => format!(r#""failure","error.message":{}"#, json::string(&why.to_string())),
        };
        poll.record(format!(r#"{{"event.dataset":"@NAME@.check","event.outcome":{answer}}}"#).as_bytes());
        Ok(Vec::new()) // the cursor: what the next poll gets as poll.cursor
    }
}

#[test]
fn a_target_that_answers() {
    vedette::testing::on_fetch(|_, _| Ok(http::Response { status: 204, ..Default::default() }));
    let polled = vedette::testing::poll(&Check, 0, b"").unwrap();
    assert!(String::from_utf8_lossy(&polled.records[0]).contains(r#""success","http.response.status_code":204}"#));
}
