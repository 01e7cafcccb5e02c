#!/bin/sh
# Builds CLIProxyAPI for the benchmark, in a folder outside of this repository. Needs Go. Usage: bench/peers/cliproxyapi.sh [FOLDER]
# Not tried yet: the module proxy of the machine where this was written refuses the module (403), so no version is pinned, and run.ts starts
# no such target.
set -eu
folder="${1:-${UNDERSTUDY_BENCH_PEERS:-$HOME/.cache/understudy-bench}/cliproxyapi}"
mkdir -p "$folder"
GOBIN="$folder" go install github.com/router-for-me/CLIProxyAPI/v6/cmd/server@latest
mv "$folder/server" "$folder/cliproxyapi"
echo "CLIProxyAPI is in $folder"
