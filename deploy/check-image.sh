#!/bin/sh
# Builds deploy/Containerfile and tries the image, on a Debian machine that reaches no image registry: the base image is made here, of
# Debian's minimal system and the node and npm of this machine. Needs root, debootstrap, podman, runc and NODE (default: node of PATH), 24.
#   sh deploy/check-image.sh
# Leaves nothing behind but the base image and the build's cache (podman rmi -a takes them away).
set -eu
root="$(cd "$(dirname "$0")/.." && pwd)"
node="$(readlink -f "$(command -v "${NODE:-node}")")"
npm="$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")"
base=docker.io/library/node:24-slim
name=understudy-check
folder="$(mktemp -d)"
# No more than this machine's own limits: a sandbox may not raise them.
limits="--ulimit nofile=$(ulimit -Hn):$(ulimit -Hn) --ulimit nproc=30000:30000"
run="podman --runtime runc"
trap '$run rm -f -t 1 $name >/dev/null 2>&1 || true; podman volume rm -f $name >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

if ! podman image exists "$base"; then
  debootstrap --variant=minbase --include=ca-certificates bookworm "$folder/base" >"$folder/debootstrap.log"
  install -m 755 "$node" "$folder/base/usr/local/bin/node"
  mkdir -p "$folder/base/usr/local/lib/node_modules"
  cp -a "$npm" "$folder/base/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/base/usr/local/bin/npm"
  # Whom this machine trusts, so that npm reaches its registry from in there, too.
  cp /etc/ssl/certs/ca-certificates.crt "$folder/base/etc/ssl/certs/"
  mkdir -p "$folder/base/usr/local/etc"
  echo "cafile=/etc/ssl/certs/ca-certificates.crt" >"$folder/base/usr/local/etc/npmrc"
  chroot "$folder/base" useradd --uid 1000 --user-group --create-home node
  tar -C "$folder/base" -c . | podman import --change 'CMD ["node"]' - "$base" >/dev/null
fi

git clone --quiet "$root" "$folder/sources"
podman build --format docker --pull=never $limits --network host --isolation chroot -t understudy \
  -f "$folder/sources/deploy/Containerfile" "$folder/sources" >"$folder/build.log" 2>&1 || { tail -30 "$folder/build.log"; exit 1; }

expect() {
  [ "$2" = "$3" ] || { echo "FAILED $1: $2, not $3"; $run logs $name; exit 1; }
  echo "ok     $1"
}
inside() { $run exec -i $name "$@"; }
ready() { curl --silent --max-time 5 --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:4141/ready; }

$run run --detach --name $name $limits -v $name:/data -p 127.0.0.1:4141:4141 understudy >/dev/null 2>&1
expect "it answers on the published port" "$(ready)" '{"status":"ready"}'
expect "its health check passes" "$($run healthcheck run $name >/dev/null 2>&1; echo $?)" 0
expect "it runs as" "$(inside id -un)" node
expect "its data are its own" "$(inside stat -c '%U %a' /data)" "node 700"
key="$(inside understudy serve --print-key)"
echo sk-check-0123456789abcdef | inside understudy auth add openai --api-key-stdin 2>/dev/null
expect "a client with its key is served" \
  "$(curl --silent --max-time 5 -o /dev/null -w '%{http_code}' -H "authorization: Bearer $key" http://127.0.0.1:4141/v1/models)" 200
expect "one without it is not" "$(curl --silent --max-time 5 -o /dev/null -w '%{http_code}' http://127.0.0.1:4141/v1/models)" 401
$run stop --time 10 $name >/dev/null 2>&1
expect "SIGTERM ends it well" "$(podman inspect --format '{{.State.ExitCode}}' $name)" 0
$run start $name >/dev/null 2>&1
expect "it comes back" "$(ready)" '{"status":"ready"}'
expect "with its key" "$(inside understudy serve --print-key)" "$key"
expect "and its account" "$(inside understudy auth list --json | grep -c '"key-1"')" 1
