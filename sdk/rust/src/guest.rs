//! The sandbox's side: exports' bodies and imports. It is the only place with `unsafe`, and it relies on ABI 1.4, by which
//! a module is called from one thread, never while a call is running, and on 2.2, by which IN and OUT belong to the host
//! from the moment they are provided.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::panic;

use crate::abi::Status;
use crate::run::{self, Answer};
use crate::{Error, Level, Monitor, Parser, Rule, Settings};

mod core_v1 {
    #[link(wasm_import_module = "vedette_core_v1")]
    extern "C" {
        pub fn log(level: u32, ptr: *const u8, len: usize);
    }
}

mod http_v1 {
    #[link(wasm_import_module = "vedette_http_v1")]
    extern "C" {
        pub fn fetch(
            target: *const u8,
            target_len: usize,
            path: *const u8,
            path_len: usize,
            out: *mut u8,
            out_cap: usize,
        ) -> u64;
    }
}

pub(crate) fn log(level: u32, line: &str) {
    // SAFETY: the host reads `line.len()` bytes and keeps nothing.
    unsafe { core_v1::log(level, line.as_ptr(), line.len()) }
}

/// Returns code << 32 | bytes in `out` (ABI 8.3).
pub(crate) fn fetch(target: &str, path: &str, out: &mut [u8]) -> u64 {
    // SAFETY: the host reads the two texts and writes at most `out.len()` bytes to `out` before it returns.
    unsafe { http_v1::fetch(target.as_ptr(), target.len(), path.as_ptr(), path.len(), out.as_mut_ptr(), out.len()) }
}

/// The module and the two blocks of memory that it works in.
pub struct Guest<M>(UnsafeCell<Option<State<M>>>);

struct State<M> {
    module: M,
    input: &'static mut [u64], // words, because both must be aligned to 8
    output: &'static mut [u64],
}

// SAFETY: a module has one thread.
unsafe impl<M> Sync for Guest<M> {}

fn bytes(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: the same memory, and every byte is a value.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}

fn block(n: u32) -> &'static mut [u64] {
    vec![0; (n as usize).div_ceil(8)].leak()
}

impl<M: Default> Guest<M> {
    #[allow(clippy::new_without_default)] // it is for a static
    pub const fn new() -> Guest<M> {
        Guest(UnsafeCell::new(None))
    }

    /// `spare` bytes are there for a call to allocate: a guest whose memory grows in a call is replaced after it.
    pub fn buffers(&'static self, input: u32, output: u32, spare: usize) -> u64 {
        panic::set_hook(Box::new(|info| crate::log(Level::Error, &info.to_string())));
        let state = State { module: M::default(), input: block(input), output: block(output) };
        let at = (state.input.as_ptr() as u64) << 32 | state.output.as_ptr() as u64;
        drop(std::hint::black_box(Vec::<u8>::with_capacity(spare)));
        // SAFETY: nothing borrows from it before the host's first call (ABI 1.4).
        unsafe { *self.0.get() = Some(state) }
        at
    }

    fn call(&'static self, n: u32, f: impl FnOnce(&mut M, &[u8], &mut [u8]) -> Answer) -> u64 {
        // SAFETY: no other call is running (ABI 1.4).
        let state = unsafe { &mut *self.0.get() };
        let state = state.as_mut().expect("vedette_buffers was called first (ABI 2.2)");
        let (status, n) = f(&mut state.module, &bytes(state.input)[..n as usize], bytes(state.output));
        u64::from(status as i32 as u32) << 32 | n as u64
    }

    pub fn init(&'static self, n: u32, f: impl FnOnce(&mut M, &Settings) -> Result<(), Error>) -> u64 {
        self.call(n, |m, input, out| match f(m, &Settings::new(input)) {
            Ok(()) => (Status::Ok, 0),
            Err(why) => (Status::Settings, run::message(out, &why)),
        })
    }
}

impl<M: Parser> Guest<M> {
    pub fn parse(&'static self, n: u32) -> u64 {
        self.call(n, |m, input, out| run::parse(m, input, out))
    }
}

impl<M: Rule> Guest<M> {
    pub fn eval(&'static self, n: u32) -> u64 {
        self.call(n, |m, input, out| run::eval(m, input, out))
    }
}

impl<M: Monitor> Guest<M> {
    pub fn poll(&'static self, n: u32) -> u64 {
        self.call(n, |m, input, out| run::poll(m, input, out))
    }
}
