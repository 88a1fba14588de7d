//! The reference monitor of the Rust SDK over SNMP: how long a device runs, and which of its interfaces are down. The same
//! monitor in Go and C gives the same bytes.

use vedette::snmp::{self, Value};
use vedette::{json, scan, Error, Monitor, Poll};

/// The name under which the manifest asks for the device.
const TARGET: &str = "target";

const UPTIME: &str = "1.3.6.1.2.1.1.3.0";
const NAME: &str = "1.3.6.1.2.1.1.5.0";
const STATUS: &str = "1.3.6.1.2.1.2.2.1.8"; // of interfaces
const DOWN: i64 = 2;

/// The monitor.
#[derive(Default)]
pub struct RefSnmp;

vedette::export_monitor!(RefSnmp);

impl Monitor for RefSnmp {
    fn poll(&self, poll: &mut Poll) -> Result<Vec<u8>, Error> {
        let vars = snmp::get(TARGET, &[UPTIME, NAME])?;
        let [snmp::Variable { value: Value::Ticks(ticks), .. }, name] = &vars[..] else {
            return Err("the device does not say how long it runs".into());
        };
        let (list, more) = snmp::walk(TARGET, STATUS)?;
        let (at, seconds) = (poll.at, ticks / 100);
        let mut record = format!(r#"{{"event.dataset":"ref.snmp","ref.at":{at},"host.uptime":{seconds}"#);
        if let Value::Text(name) = &name.value {
            record += r#","host.name":"#;
            record += &json::string(&String::from_utf8_lossy(name));
        }
        if scan::uint(poll.cursor).is_some_and(|before| *ticks < before) {
            record += r#","event.action":"restarted""#;
        }
        let down = list.iter().filter(|v| v.value == Value::Int(DOWN));
        let down: Vec<String> = down.map(|v| format!("\"{}\"", &v.oid[STATUS.len() + 1..])).collect();
        record += &format!(r#","ref.down":[{}],"ref.interfaces":{}"#, down.join(","), list.len());
        if more {
            record += r#","ref.cut":true"#;
        }
        record += "}";
        poll.record(record.as_bytes());
        Ok(ticks.to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vedette::testing;

    fn variable(oid: &str, value: Value) -> snmp::Variable {
        snmp::Variable { oid: oid.to_owned(), value }
    }

    #[test]
    fn a_poll() {
        testing::on_ask(|q| {
            Ok(match (q.function, q.target, q.request) {
                ("snmp_get", "target", b"1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.1.5.0") => snmp::encode(
                    &[variable(UPTIME, Value::Ticks(12345)), variable(NAME, Value::Text(b"box".to_vec()))],
                    false,
                ),
                ("snmp_walk", "target", b"1.3.6.1.2.1.2.2.1.8") => {
                    let up = variable("1.3.6.1.2.1.2.2.1.8.1", Value::Int(1));
                    snmp::encode(&[up, variable("1.3.6.1.2.1.2.2.1.8.7", Value::Int(2))], false)
                }
                other => panic!("{other:?}"),
            })
        });
        let got = testing::poll(&RefSnmp, 7, b"20000").unwrap();
        assert_eq!(got.cursor, b"12345");
        assert_eq!(
            String::from_utf8_lossy(&got.records[0]),
            r#"{"event.dataset":"ref.snmp","ref.at":7,"host.uptime":123,"host.name":"box","event.action":"restarted","ref.down":["7"],"ref.interfaces":2}"#
        );
    }

    #[test]
    fn a_device_that_is_silent() {
        testing::on_ask(|_| Err("E_HOST_IO: no answer".into()));
        assert_eq!(testing::poll(&RefSnmp, 7, b""), Err("E_HOST_IO: no answer".into()));
        testing::on_ask(|_| Ok(snmp::encode(&[variable(UPTIME, Value::Absent), variable(NAME, Value::Absent)], false)));
        assert!(testing::poll(&RefSnmp, 7, b"").is_err());
    }
}
