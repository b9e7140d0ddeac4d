#!/usr/bin/env bash
# What `make run` does: a key if there is none, a configuration in var/, and the daemon on it.
# usage: config/demo.sh [AUDIT_LOG] [ONCE]
set -euo pipefail
cd "$(dirname "$0")/.."
log=${1:-} once=${2:-}
bin=$PWD/.venv/bin
mkdir -p var/audit
[ -e var/signing-key.pem ] || "$bin/audit-shipper" keys generate "$PWD/var/signing-key.pem" >/dev/null

if [ -n "$log" ]; then
  if [ ! -f "$log" ] || [ ! -r "$log" ]; then
    echo "error: AUDIT_LOG=$log is not a file that can be read: name the audit log, as its owner or root" >&2
    exit 2
  fi
  log=$(realpath "$log")
  state=$PWD/var/state-$(printf %s "$log" | sha256sum | cut -c1-8)
else
  log=$PWD/var/audit/audit.log
  state=$PWD/var/state
  if [ -n "$once" ]; then
    [ -e "$log" ] || "$bin/python" -m bench.replay tests/data/demo.log.zst "$log" --rate 0
  else
    "$bin/python" -m bench.replay tests/data/demo.log.zst "$log" --rate 100 --rotate-bytes 1000000 &
    replay=$!
    trap 'kill "$replay" 2>/dev/null || true' EXIT
  fi
fi

mkdir -p "$state"
cat >"$state/config.yaml" <<YAML
log: {cluster: demo, node: $(basename "$state")}
source: {path: "$log"}
seal: {key_file: "$PWD/var/signing-key.pem"}
spool: {path: "$state/spool"}
store: {url: "file://$PWD/var/archive", checkpoint_every: 10s}
batch: {max_age: 2s}
logging: {format: console, level: warning}
YAML

code=0
"$bin/audit-shipper" run --config "$state/config.yaml" ${once:+--once} || code=$?
exit "$code"
