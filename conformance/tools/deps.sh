#!/usr/bin/env bash
# deps.sh installs what `make test` needs beside Go and Node, and says what that is. It installs only what is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
	echo "browser: $(chromium --version 2>/dev/null || google-chrome --version)"
else
	echo "browser: installing Debian's chromium"
	root apt-get update -qq >/dev/null
	root apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi
if [ ! -d console/web/node_modules ] || [ console/web/package-lock.json -nt console/web/node_modules ]; then
	echo "front end: npm ci"
	(cd console/web && npm ci --no-audit --no-fund --loglevel=error && touch node_modules)
else
	echo "front end: node_modules is up to date"
fi
