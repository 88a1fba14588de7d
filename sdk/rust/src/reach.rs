//! How monitors ask the targets of their grant (ABI 8.1, 8.3): a target's name, a request, and an answer or why there is
//! none.

use crate::Error;

/// Turns what a function of the host returns, code << 32 | bytes in `out`, into the answer. An error begins with
/// `E_DENIED: ` when a policy refused and with `E_HOST_IO: ` when the target could not be reached.
pub(crate) fn answer(mut out: Vec<u8>, got: u64) -> Result<Vec<u8>, Error> {
    out.truncate(got as u32 as usize);
    if got >> 32 != 0 {
        return Err(String::from_utf8_lossy(&out).into_owned().into());
    }
    Ok(out)
}

/// Asks the host, or natively what [`crate::testing::on_ask`] was given.
macro_rules! ask {
    ($function:ident, $target:expr, $request:expr, $room:expr) => {{
        let mut out = vec![0; $room];
        #[cfg(target_family = "wasm")]
        let got = crate::guest::reach::$function($target, $request, &mut out);
        #[cfg(not(target_family = "wasm"))]
        let got = crate::testing::ask(stringify!($function), $target, $request, &mut out);
        crate::reach::answer(out, got)
    }};
}
pub(crate) use ask;

/// What an answer is that breaks the ABI, which a host does not give.
pub(crate) const BROKEN: &str = "the host's answer is broken";
