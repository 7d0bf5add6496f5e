#!/usr/bin/env bash
# Builds k6 with the extension k6/x/sse (loadtest/k6/extension) and prints where it is. Versions are pinned by go.mod and
# go.sum there; modules come from the Go module proxy. Does nothing when that very k6 has been built before.
#   loadtest/k6/build.sh            builds it if need be: minutes the first time, seconds after a change of the extension
#   loadtest/k6/build.sh --look     builds nothing; ends with 3 when it is not there
#   loadtest/k6/build.sh --test     runs the tests of the extension: seconds behind a build, whose flags it shares
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
bin="$here/../../.bench/k6/bin"
cd "$here/extension"
# The toolchain that is here: a download of another one is not what somebody asked for who runs a load test.
export GOTOOLCHAIN=local GOFLAGS='-mod=readonly -trimpath'

if [ "${1:-}" = --test ]; then exec go test -vet=off ./...; fi
hash="$(cat go.mod go.sum main.go $(ls sse/*.go | grep -v _test.go) | sha256sum | cut -c1-16)"
mkdir -p "$bin"
k6="$(cd "$bin" && pwd)/k6-$hash"
if [ -x "$k6" ]; then
  echo "$k6"
  exit 0
fi
if ! command -v go >/dev/null 2>&1; then
  echo 'k6 is not built, and building it needs the Go toolchain (1.25 or later): https://go.dev/doc/install, or apt-get install golang.' >&2
  exit 3
fi
if [ "${1:-}" = --look ]; then
  echo 'k6 is not built: loadtest/k6/build.sh builds it (minutes the first time).' >&2
  exit 3
fi
echo 'Building k6 with k6/x/sse: minutes the first time ...' >&2
go build -buildvcs=false -ldflags '-s -w' -o "$k6.new" . >&2
"$k6.new" version >&2
rm -f "$bin"/k6-????????????????
mv "$k6.new" "$k6"
echo "$k6"
