#!/bin/sh
# Builds Bifrost's HTTP gateway for the benchmark, in a folder outside of this repository. Needs Go. Usage: bench/peers/bifrost.sh [FOLDER]
# Not tried yet: the module proxy of the machine where this was written refuses the module (403), so no version is pinned, and run.ts starts
# no such target.
set -eu
folder="${1:-${UNDERSTUDY_BENCH_PEERS:-$HOME/.cache/understudy-bench}/bifrost}"
mkdir -p "$folder"
GOBIN="$folder" go install github.com/maximhq/bifrost/transports/bifrost-http@latest
test -x "$folder/bifrost-http"
echo "Bifrost is in $folder"
