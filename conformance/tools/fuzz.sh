#!/usr/bin/env bash
# fuzz.sh runs every fuzz target of the repository for the given time, one after the other, and stops at a finding.
#
# usage: conformance/tools/fuzz.sh 60s [folder…]     from the root of the repository
set -euo pipefail
time=${1:?usage: fuzz.sh DURATION [folder…]}
shift
targets=0
while IFS=: read -r file line; do
	dir=$(dirname "$file")
	name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/' <<<"$line")
	echo "--- $dir $name"
	# -C, because sdk/go is a Go module of its own.
	go test -C "$dir" -run '^$' -fuzz "^$name\$" -fuzztime "$time" .
	targets=$((targets + 1))
done < <(grep -rE --include='*_test.go' --exclude-dir=.tmp --exclude-dir=node_modules '^func Fuzz' "${@:-.}" | sed 's|^\./||' | sort)
echo "$targets fuzz targets, $time each"
[ "$targets" -gt 0 ]
