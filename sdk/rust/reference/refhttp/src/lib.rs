//! The reference monitor of the Rust SDK: it asks a granted target for one path, hands over a record and counts its polls
//! in the cursor. The same monitor in Go and C gives the same bytes.

use vedette::{http, json, scan, Error, Monitor, Poll, Settings};

/// The name under which the manifest asks for the service; only the grant knows its address.
const TARGET: &str = "target";

/// The monitor and its settings.
pub struct RefHttp {
    path: String,
}

impl Default for RefHttp {
    fn default() -> RefHttp {
        RefHttp { path: "/".to_owned() }
    }
}

vedette::export_monitor!(RefHttp);

impl Monitor for RefHttp {
    fn init(&mut self, settings: &Settings) -> Result<(), Error> {
        if let Some(path) = settings.string("path") {
            self.path = path;
        }
        if !self.path.starts_with('/') {
            return Err("path: want it to begin with \"/\"".into());
        }
        Ok(())
    }

    fn poll(&self, poll: &mut Poll) -> Result<Vec<u8>, Error> {
        let last = match poll.cursor {
            b"" => 0,
            cursor => scan::uint(cursor).filter(|&n| n < 1 << 32).ok_or("the cursor is no number")?,
        };
        let (at, n, path) = (poll.at, last + 1, json::string(&self.path));
        let answer = match http::get(TARGET, &self.path) {
            Ok(r) => {
                let (status, bytes, elapsed) = (r.status, r.body.len(), r.elapsed_ns);
                format!(
                    r#""success","http.response.status_code":{status},"http.response.body.bytes":{bytes},"event.duration":{elapsed}"#
                )
            }
            Err(why) => format!(r#""failure","error.message":{}"#, json::string(&why.to_string())),
        };
        let record = format!(
            r#"{{"event.dataset":"ref.http","ref.at":{at},"ref.poll":{n},"url.path":{path},"event.outcome":{answer}}}"#
        );
        poll.record(record.as_bytes());
        Ok(n.to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vedette::testing;

    #[test]
    fn a_poll() {
        testing::on_fetch(|target, path| {
            assert_eq!((target, path), ("target", "/health"));
            Ok(http::Response { status: 200, elapsed_ns: 5, body: b"fine".to_vec(), ..Default::default() })
        });
        let mut m = RefHttp::default();
        m.init(&Settings::new(br#"{"path":"/health"}"#)).unwrap();
        let got = testing::poll(&m, 7, b"41").unwrap();
        assert_eq!(got.cursor, b"42");
        assert_eq!(
            String::from_utf8_lossy(&got.records[0]),
            r#"{"event.dataset":"ref.http","ref.at":7,"ref.poll":42,"url.path":"/health","event.outcome":"success","http.response.status_code":200,"http.response.body.bytes":4,"event.duration":5}"#
        );
    }

    #[test]
    fn what_is_refused() {
        assert!(RefHttp::default().init(&Settings::new(br#"{"path":"health"}"#)).is_err());
        testing::on_fetch(|_, _| Err("E_HOST_IO: \"down\"".into()));
        let got = testing::poll(&RefHttp::default(), 7, b"").unwrap();
        assert!(String::from_utf8_lossy(&got.records[0])
            .ends_with(r#""event.outcome":"failure","error.message":"E_HOST_IO: \"down\""}"#));
        assert_eq!(testing::poll(&RefHttp::default(), 7, b"x"), Err("the cursor is no number".into()));
    }
}
