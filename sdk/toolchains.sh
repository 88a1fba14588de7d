#!/bin/sh
# toolchains.sh puts compilers for modules in Rust and C into .tmp/sdk. What conformance/sdks/dist holds was made by the
# versions that its lock names.
#
# usage: sdk/toolchains.sh            from the root of the repository (make sdk)
# then:  PATH=.tmp/sdk/bin:$PATH cargo build --release --target wasm32-unknown-unknown
#        PATH=.tmp/sdk/bin:$PATH clang --target=wasm32 …
#
# They are Debian's. Its Rust comes without a standard library for WebAssembly, so that is built once from Debian's
# source of it, which holds all that it needs. An author with rustup needs none of this: `rustup target add
# wasm32-unknown-unknown` gives the same commands, and a module that does the same with other bytes.
set -eu

packages='rustc-web cargo-web rust-web-src clang-19 lld-19'
target=wasm32-unknown-unknown

top=$(cd "$(dirname "$0")/.." && pwd)
root=$top/.tmp/sdk
say() { echo "sdk: $*" >&2; }

missing=
for p in $packages; do
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
done
if [ -n "$missing" ]; then
	say "installing$missing"
	[ "$(id -u)" = 0 ] || { say "run as root: apt-get install -y$missing"; exit 1; }
	apt-get update -q >&2
	# shellcheck disable=SC2086 # one word per package
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2
fi

# The stamp names everything that decides the bytes of what is made below.
source=$(readlink -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust")
# shellcheck disable=SC2086,SC2016 # one word per package; the format is dpkg's
stamp="$(dpkg-query -W -f='${Package} ${Version}, ' $packages)$(cksum <"$0")"
if [ "$(cat "$root/stamp" 2>/dev/null || true)" = "$stamp" ]; then
	say "up to date"
	exit 0
fi
rm -rf "$root"
mkdir -p "$root/bin" "$root/std/.cargo" "$root/rust/lib/rustlib/$target/lib"

say "building Rust's standard library for $target (half a minute)"
cat >"$root/std/Cargo.toml" <<END
[package]
name = "none"
version = "0.0.0"
edition = "2021"
[lib]
path = "lib.rs"
[workspace]
[profile.release]
opt-level = 3
panic = "abort"
END
cat >"$root/std/.cargo/config.toml" <<END
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "$source/library/vendor"
END
echo '#![no_std]' >"$root/std/lib.rs"
# RUSTC_BOOTSTRAP lets a stable compiler build its own library; bitcode in it lets modules be optimised as a whole.
(cd "$root/std" && env -u RUSTUP_TOOLCHAIN CARGO_HOME="$root/cargo" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes \
	/usr/bin/cargo build --quiet --offline --release --target "$target" -Zbuild-std=std,panic_abort --target-dir "$root/std/target")
cp "$root/std/target/$target/release/deps/"*.rlib "$root/rust/lib/rustlib/$target/lib/"
rm -f "$root/rust/lib/rustlib/$target/lib/"libnone-*.rlib
host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
ln -s "$(/usr/bin/rustc --print sysroot)/lib/rustlib/$host" "$root/rust/lib/rustlib/$host"
rm -rf "$root/std"

cat >"$root/bin/rustc" <<'END'
#!/bin/sh
# Written by sdk/toolchains.sh.
exec /usr/bin/rustc --sysroot "$(cd "$(dirname "$0")/../rust" && pwd)" "$@"
END
cat >"$root/bin/cargo" <<'END'
#!/bin/sh
# Written by sdk/toolchains.sh.
unset RUSTUP_TOOLCHAIN
export RUSTC="$(cd "$(dirname "$0")" && pwd)/rustc" RUSTDOC=/usr/bin/rustdoc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
exec /usr/bin/cargo "$@"
END
cat >"$root/bin/clang" <<'END'
#!/bin/sh
# Written by sdk/toolchains.sh.
exec /usr/bin/clang-19 "$@"
END
chmod +x "$root/bin/rustc" "$root/bin/cargo" "$root/bin/clang"
echo "$stamp" >"$root/stamp"
say "$("$root/bin/cargo" --version), $("$root/bin/clang" --version | head -1)"
