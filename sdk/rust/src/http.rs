//! HTTP for monitors: GET requests to the targets that the manifest names and the tenant has granted. The host knows their
//! addresses and credentials, the module never does.

use crate::abi::{u32_at, u64_at};
use crate::Error;

const HEADER: usize = 24;
const MAX_BODY: usize = 64 << 10;

/// What a target answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status code.
    pub status: u32,
    /// Nanoseconds from the request to the last byte.
    pub elapsed_ns: i64,
    /// Expiry of the server's certificate, nanoseconds since the Unix epoch; 0 without TLS.
    pub tls_not_after: i64,
    /// At most 64 KiB; the rest is cut.
    pub body: Vec<u8>,
}

/// Fetches `path`, which begins with one slash, from the granted target of that name. The error tells why nothing was
/// answered and begins with `E_DENIED: ` when a policy refused, with `E_HOST_IO: ` when the target could not be reached.
pub fn get(target: &str, path: &str) -> Result<Response, Error> {
    let mut out = vec![0; HEADER + MAX_BODY];
    let answer = fetch(target, path, &mut out);
    out.truncate(answer as u32 as usize);
    if answer >> 32 != 0 {
        return Err(String::from_utf8_lossy(&out).into_owned().into());
    }
    if out.len() < HEADER {
        return Err("the host's answer is too short".into());
    }
    Ok(Response {
        status: u32_at(&out, 0),
        elapsed_ns: u64_at(&out, 8) as i64,
        tls_not_after: u64_at(&out, 16) as i64,
        body: out.split_off(HEADER),
    })
}

#[cfg(target_family = "wasm")]
use crate::guest::fetch;

#[cfg(not(target_family = "wasm"))]
fn fetch(target: &str, path: &str, out: &mut [u8]) -> u64 {
    crate::testing::fetch(target, path, out)
}
