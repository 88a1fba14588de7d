#!/bin/sh
# tinygo.sh puts the pinned TinyGo into .tmp: the toolchain that builds what modules/dist holds.
#
# usage: conformance/tools/tinygo.sh            from the root of the repository (make .tmp/bin/tinygo)
# then:  .tmp/bin/tinygo build -target=vedette -opt=2 -no-debug -o x.wasm ./package
#
# It is built from source with Debian's LLVM 19, as the Go module proxy serves TinyGo's source and nothing else. An
# official TinyGo release of the same version works for authors (-target=wasip1 -buildmode=c-shared -scheduler=none) but gives
# other bytes, because it links another LLVM and another libc.
set -eu

version=v0.41.1
sum='h1:Hp1Frc4zQALL88t49XraSZEwkIYEjMOmmurlmsTigzE='
toolchain=go1.26.8 # the Go release whose standard library is compiled into guests
packages='llvm-19-dev libclang-19-dev lld-19 clang-19 wasi-libc libclang-rt-19-dev-wasm32'

tools=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$tools/../.." && pwd)
root=$top/.tmp/tinygo
say() { echo "tinygo: $*" >&2; }

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

say "fetching $version"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
info=$(cd "$work" && GOFLAGS=-mod=mod GOWORK=off go mod download -json "github.com/tinygo-org/tinygo@$version")
field() { printf '%s\n' "$info" | sed -n "s|^[[:space:]]*\"$1\": \"\(.*\)\",\{0,1\}\$|\1|p"; }
if [ "$(field Sum)" != "$sum" ]; then
	say "$version has the sum $(field Sum), want $sum"
	exit 1
fi

say "building (a minute or two)"
rm -rf "$root"
mkdir -p "$top/.tmp/bin"
cp -R "$(field Dir)" "$root"
chmod -R u+w "$root"
mkdir -p "$root/src/net" "$root/lib/vedette" # src/net is a git submodule, which module zips leave out
cp "$tools/tinygo-target.json" "$root/targets/vedette.json"
cp /usr/lib/wasm32-wasi/libc.a /usr/lib/llvm-19/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a "$root/lib/vedette/"
(cd "$root" && GOWORK=off GOFLAGS=-buildvcs=false GOTOOLCHAIN=$toolchain go build -trimpath -tags llvm19 -o tinygo .)

wrapper=$top/.tmp/bin/tinygo
cat >"$wrapper.new" <<END
#!/bin/sh
# Written by conformance/tools/tinygo.sh.
root=\$(cd "\$(dirname "\$0")/../tinygo" && pwd)
export TINYGOROOT="\$root" GOTOOLCHAIN=$toolchain GOWORK=off
exec "\$root/tinygo" "\$@"
END
chmod +x "$wrapper.new"
mv "$wrapper.new" "$wrapper"
"$wrapper" version
