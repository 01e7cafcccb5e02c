#!/bin/sh
# Sets up LiteLLM's proxy for the benchmark, in a folder outside of this repository. Needs Python 3.10 or newer with venv.
# Usage: bench/peers/litellm.sh [FOLDER]
set -eu
version=1.106.2
folder="${1:-${UNDERSTUDY_BENCH_PEERS:-$HOME/.cache/understudy-bench}/litellm}"
mkdir -p "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "litellm[proxy]==$version"
test -x "$folder/venv/bin/litellm"
echo "LiteLLM $version is in $folder"
