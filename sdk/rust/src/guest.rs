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

/// Functions by which a monitor asks its targets (ABI 8.1, 15 to 18). Each returns code << 32 | bytes in `out`.
pub(crate) mod reach {
    macro_rules! functions {
        ($($module:literal $import:literal $name:ident;)*) => {
            mod host {
                $(
                    #[link(wasm_import_module = $module)]
                    extern "C" {
                        #[link_name = $import]
                        pub fn $name(
                            target: *const u8,
                            target_len: usize,
                            request: *const u8,
                            request_len: usize,
                            out: *mut u8,
                            out_cap: usize,
                        ) -> u64;
                    }
                )*
            }
            $(
                pub(crate) fn $name(target: &str, request: &[u8], out: &mut [u8]) -> u64 {
                    // SAFETY: the host reads both texts and writes at most `out.len()` bytes to `out` before it returns.
                    unsafe {
                        host::$name(target.as_ptr(), target.len(), request.as_ptr(), request.len(), out.as_mut_ptr(), out.len())
                    }
                }
            )*
        };
    }

    functions! {
        "vedette_snmp_v1" "get" snmp_get;
        "vedette_snmp_v1" "walk" snmp_walk;
        "vedette_ssh_v1" "run" ssh_run;
        "vedette_probe_v1" "tcp" probe_tcp;
        "vedette_probe_v1" "tls" probe_tls;
        "vedette_probe_v1" "dns" probe_dns;
        "vedette_probe_v1" "ping" probe_ping;
        "vedette_config_v1" "compare" config_compare;
    }
}

/// What a rule remembers (ABI 12, 13, 20). Results are those of the imports: negative ones are faults.
pub(crate) mod state {
    mod kv_v1 {
        #[link(wasm_import_module = "vedette_kv_v1")]
        extern "C" {
            pub fn get(key: *const u8, key_len: usize, out: *mut u8, out_cap: usize) -> i32;
            pub fn put(key: *const u8, key_len: usize, value: *const u8, value_len: usize, ttl: i64) -> i32;
            pub fn del(key: *const u8, key_len: usize) -> i32;
            pub fn incr(key: *const u8, key_len: usize, delta: i64, ttl: i64, out: *mut u8) -> i32;
            pub fn cas(
                key: *const u8,
                key_len: usize,
                old: *const u8,
                old_len: usize,
                value: *const u8,
                value_len: usize,
                ttl: i64,
            ) -> i32;
        }
    }

    mod window_v1 {
        #[link(wasm_import_module = "vedette_window_v1")]
        extern "C" {
            pub fn count(key: *const u8, key_len: usize, window: i64, bucket: i64, delta: i64) -> i64;
            pub fn distinct(key: *const u8, key_len: usize, value: *const u8, value_len: usize, window: i64) -> i64;
            pub fn first_seen(key: *const u8, key_len: usize, ttl: i64) -> i32;
            pub fn seq_step(key: *const u8, key_len: usize, state: u32, ttl: i64) -> i32;
        }
    }

    mod timer_v1 {
        #[link(wasm_import_module = "vedette_timer_v1")]
        extern "C" {
            pub fn set(key: *const u8, key_len: usize, at: i64) -> i32;
            pub fn cancel(key: *const u8, key_len: usize) -> i32;
        }
    }

    /// Address and length of a value that may not be there (ABI 12.3).
    fn optional(value: Option<&[u8]>) -> (*const u8, usize) {
        value.map_or((std::ptr::null(), usize::MAX), |v| (v.as_ptr(), v.len()))
    }

    // SAFETY of all: the host reads the texts, writes within `out` before it returns, and keeps no address.

    pub(crate) fn kv_get(key: &[u8], out: &mut [u8]) -> i32 {
        unsafe { kv_v1::get(key.as_ptr(), key.len(), out.as_mut_ptr(), out.len()) }
    }

    pub(crate) fn kv_put(key: &[u8], value: &[u8], ttl: i64) -> i32 {
        unsafe { kv_v1::put(key.as_ptr(), key.len(), value.as_ptr(), value.len(), ttl) }
    }

    pub(crate) fn kv_del(key: &[u8]) -> i32 {
        unsafe { kv_v1::del(key.as_ptr(), key.len()) }
    }

    pub(crate) fn kv_incr(key: &[u8], delta: i64, ttl: i64, sum: &mut [u8; 8]) -> i32 {
        unsafe { kv_v1::incr(key.as_ptr(), key.len(), delta, ttl, sum.as_mut_ptr()) }
    }

    pub(crate) fn kv_cas(key: &[u8], old: Option<&[u8]>, value: Option<&[u8]>, ttl: i64) -> i32 {
        let (old, value) = (optional(old), optional(value));
        unsafe { kv_v1::cas(key.as_ptr(), key.len(), old.0, old.1, value.0, value.1, ttl) }
    }

    pub(crate) fn window_count(key: &[u8], window: i64, bucket: i64, delta: i64) -> i64 {
        unsafe { window_v1::count(key.as_ptr(), key.len(), window, bucket, delta) }
    }

    pub(crate) fn window_distinct(key: &[u8], value: &[u8], window: i64) -> i64 {
        unsafe { window_v1::distinct(key.as_ptr(), key.len(), value.as_ptr(), value.len(), window) }
    }

    pub(crate) fn window_first_seen(key: &[u8], ttl: i64) -> i32 {
        unsafe { window_v1::first_seen(key.as_ptr(), key.len(), ttl) }
    }

    pub(crate) fn window_seq_step(key: &[u8], state: u32, ttl: i64) -> i32 {
        unsafe { window_v1::seq_step(key.as_ptr(), key.len(), state, ttl) }
    }

    pub(crate) fn timer_set(key: &[u8], at: i64) -> i32 {
        unsafe { timer_v1::set(key.as_ptr(), key.len(), at) }
    }

    pub(crate) fn timer_cancel(key: &[u8]) -> i32 {
        unsafe { timer_v1::cancel(key.as_ptr(), key.len()) }
    }
}

/// Tables of the organization (ABI 14).
pub(crate) mod tables {
    mod set_v1 {
        #[link(wasm_import_module = "vedette_set_v1")]
        extern "C" {
            #[link_name = "match"]
            pub fn matches(table: *const u8, table_len: usize, keys: *const [u32; 2], n: usize, out: *mut u8) -> i32;
        }
    }

    mod lookup_v1 {
        #[link(wasm_import_module = "vedette_lookup_v1")]
        extern "C" {
            pub fn get(
                table: *const u8,
                table_len: usize,
                key: *const u8,
                key_len: usize,
                out: *mut u8,
                out_cap: usize,
            ) -> i32;
        }
    }

    pub(crate) fn set_match(table: &str, keys: &[&[u8]], matched: &mut [u8]) -> i32 {
        let mut cells = [[0; 2]; crate::table::MAX_KEYS];
        for (cell, key) in cells.iter_mut().zip(keys) {
            *cell = [key.as_ptr() as u32, key.len() as u32];
        }
        // SAFETY: the host reads as many cells as there are keys, and the keys, and writes a bit for each to `matched`, which
        // has room for them.
        unsafe { set_v1::matches(table.as_ptr(), table.len(), cells.as_ptr(), keys.len(), matched.as_mut_ptr()) }
    }

    pub(crate) fn lookup_get(table: &str, key: &[u8], out: &mut [u8]) -> i32 {
        // SAFETY: the host reads both texts and writes at most `out.len()` bytes to `out` before it returns.
        unsafe { lookup_v1::get(table.as_ptr(), table.len(), key.as_ptr(), key.len(), out.as_mut_ptr(), out.len()) }
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

    pub fn due(&'static self, n: u32) -> u64 {
        self.call(n, |m, input, out| run::due(m, input, out))
    }
}

impl<M: Monitor> Guest<M> {
    pub fn poll(&'static self, n: u32) -> u64 {
        self.call(n, |m, input, out| run::poll(m, input, out))
    }
}
