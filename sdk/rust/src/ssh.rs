//! Runs granted commands on granted devices, for monitors (ABI 16): the host knows address, user and key.

use crate::abi::{u32_at, u64_at};
use crate::reach::{ask, BROKEN};
use crate::Error;

const HEADER: usize = 24;
const ROOM: usize = HEADER + (1 << 20);

/// What a command left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Exit status; −1 when the device told none.
    pub exit: i32,
    /// Nanoseconds from dialling to the end.
    pub elapsed_ns: i64,
    /// There was more output than 1 MiB.
    pub cut: bool,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: Vec<u8>,
}

/// Runs the granted command of that name. Arguments stand in the order of the grant's template.
pub fn run(target: &str, command: &str, args: &[&str]) -> Result<Output, Error> {
    let mut request = Vec::new();
    for word in [command].iter().chain(args) {
        request.extend_from_slice(word.as_bytes());
        request.push(0);
    }
    Output::decode(&ask!(ssh_run, target, &request, ROOM)?)
}

impl Output {
    fn decode(b: &[u8]) -> Result<Output, Error> {
        if b.len() < HEADER {
            return Err(BROKEN.into());
        }
        let (n, m) = (u32_at(b, 16) as usize, u32_at(b, 20) as usize);
        if b.len() - HEADER < n || b.len() - HEADER - n < m {
            return Err(BROKEN.into());
        }
        let (out, err) = b[HEADER..].split_at(n);
        Ok(Output {
            exit: u32_at(b, 0) as i32,
            elapsed_ns: u64_at(b, 8) as i64,
            cut: u32_at(b, 4) & 1 != 0,
            out: out.to_vec(),
            err: err[..m].to_vec(),
        })
    }

    /// Writes an answer as the host does (ABI 16.2), for tests.
    #[cfg(not(target_family = "wasm"))]
    pub fn encode(&self) -> Vec<u8> {
        let mut b = self.exit.to_le_bytes().to_vec();
        b.extend_from_slice(&u32::from(self.cut).to_le_bytes());
        b.extend_from_slice(&self.elapsed_ns.to_le_bytes());
        b.extend_from_slice(&(self.out.len() as u32).to_le_bytes());
        b.extend_from_slice(&(self.err.len() as u32).to_le_bytes());
        [b, self.out.clone(), self.err.clone()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer() {
        let left = Output { exit: -1, elapsed_ns: 5, cut: true, out: b"out".to_vec(), err: b"err".to_vec() };
        let b = b"\xff\xff\xff\xff\x01\0\0\0\x05\0\0\0\0\0\0\0\x03\0\0\0\x03\0\0\0outerr";
        assert_eq!(left.encode(), b);
        assert_eq!(Output::decode(b), Ok(left));
        for n in 0..b.len() {
            assert!(Output::decode(&b[..n]).is_err(), "the first {n} bytes");
        }
    }
}
