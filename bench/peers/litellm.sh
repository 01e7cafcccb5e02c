#!/bin/sh
# Sets up LiteLLM's proxy for the benchmark, in a folder outside of this repository. Usage: bench/peers/litellm.sh [FOLDER]
set -eu
folder="${1:-${UNDERSTUDY_BENCH_PEERS:-$HOME/.cache/understudy-bench}/litellm}"
mkdir -p "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'litellm[proxy]'
test -x "$folder/venv/bin/litellm"
"$folder/venv/bin/pip" list --disable-pip-version-check 2>/dev/null | grep -i '^litellm '
echo "LiteLLM is in $folder"
