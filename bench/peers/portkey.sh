#!/bin/sh
# Sets up @portkey-ai/gateway for the benchmark, in a folder outside of this repository. Usage: bench/peers/portkey.sh [FOLDER]
# Its range of @hono/node-server lets in versions with which every stream is answered with 500 ("TypeError: immutable"), so that
# one is pinned to the newest with which it works.
set -eu
folder="${1:-${UNDERSTUDY_BENCH_PEERS:-$HOME/.cache/understudy-bench}/portkey}"
mkdir -p "$folder"
cd "$folder"
cat > package.json <<'JSON'
{
  "private": true,
  "dependencies": { "@portkey-ai/gateway": "1.15.2" },
  "overrides": { "@hono/node-server": "1.13.8", "hono": "4.9.7" }
}
JSON
npm install --no-audit --no-fund --ignore-scripts
test -f node_modules/@portkey-ai/gateway/build/start-server.js
echo "Portkey is in $folder"
