#!/usr/bin/env bash
# deps.sh installs what `make test` needs beside Go and Node, and says what that is. It installs only what is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v wat2wasm >/dev/null || missing+=(wabt)
command -v patch >/dev/null || missing+=(patch)
command -v snmpd >/dev/null || [ -x /usr/sbin/snmpd ] || missing+=(snmpd)
command -v sshd >/dev/null || [ -x /usr/sbin/sshd ] || missing+=(openssh-server)
if [ ${#missing[@]} -gt 0 ]; then
	echo "installing Debian's ${missing[*]} (a browser for the live page, wat2wasm for the hostile modules, snmpd, sshd and patch for the monitors)"
	root apt-get update -qq >/dev/null
	DEBIAN_FRONTEND=noninteractive root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
echo "browser: $(chromium --version 2>/dev/null || google-chrome --version)"
echo "wat2wasm: $(wat2wasm --version)"
echo "snmpd: $(PATH=$PATH:/usr/sbin snmpd --version | sed -n 's/.*version: *//p')"
echo "sshd: $(PATH=$PATH:/usr/sbin sshd -V 2>&1 | head -1)"
if [ -x .tmp/bin/tinygo ]; then
	echo "tinygo: $(.tmp/bin/tinygo version)"
else
	echo "tinygo: not here; the modules in modules/dist are used as they are, and host/runtime's TinyGo cases wait for 'make .tmp/bin/tinygo' (make soak and make modules do it)"
fi
if [ ! -d console/web/node_modules ] || [ console/web/package-lock.json -nt console/web/node_modules ]; then
	echo "front end: npm ci"
	(cd console/web && npm ci --no-audit --no-fund --loglevel=error && touch node_modules)
else
	echo "front end: node_modules is up to date"
fi
