#!/usr/bin/env bash
# Makes what tests/test_upgrade.py continues: a node as an older audit-shipper leaves it at SIGTERM.
# usage: make.sh AUDIT_SHIPPER RECORDING TARGET.tar.zst
# 3e694ec.tar.zst: AUDIT_SHIPPER was the program of that commit, RECORDING tests/data/demo.log.zst.
#
# A rotated file and 60 lines of the live one are archived; 40 more are sealed and wait in the
# spool, for the store was away; the last line is torn, as one is that is just being written.
set -euo pipefail
program=$1 recording=$(realpath "$2") target=$(realpath "$3")
node=$(mktemp -d /var/tmp/node-XXXXXX)
trap 'rm -rf "$node"' EXIT
mkdir "$node/audit"
cat >"$node/config.yaml" <<YAML
log: {cluster: c1, node: n1}
source: {path: "$node/audit/audit.log"}
seal: {key_file: "$node/key.pem"}
spool: {path: "$node/spool"}
store: {url: "file://$node/archive"}
batch: {max_bytes: 64KiB, max_age: 200ms}
shutdown: {drain: 1s}
logging: {format: json}
YAML
lines() { zstd -dc "$recording" | sed -n "$1,$2p"; }

"$program" keys generate "$node/key.pem" >"$node/public"
lines 1 100 >"$node/audit/audit-2026-01-02T03-04-05.678.log"
lines 101 160 >"$node/audit/audit.log"
"$program" run --config "$node/config.yaml" --once

mv "$node/archive" "$node/away"
touch "$node/archive"
"$program" run --config "$node/config.yaml" 2>"$node/said" &
daemon=$!
lines 161 200 >>"$node/audit/audit.log"
lines 201 201 | head -c 100 >>"$node/audit/audit.log"
sleep 5
kill -TERM "$daemon"
wait "$daemon" || true # 3: the store had not everything
grep drain_incomplete "$node/said"
rm "$node/archive" "$node/said" "$node/config.yaml"
mv "$node/away" "$node/archive"
tar -C "$node" --owner=0 --group=0 --numeric-owner -c audit archive key.pem key.pem.pub spool |
  zstd -q -19 -f -o "$target"
