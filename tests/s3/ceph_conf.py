"""The configuration of the smallest Ceph: one monitor, one OSD in memory, one S3 gateway."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import NamedTuple


class Ports(NamedTuple):
    """Where the daemons listen on 127.0.0.1. The OSD chooses its own."""

    mon_v2: int
    mon_v1: int
    http: int
    https: int

    @property
    def monitor(self) -> str:
        """The monitor's addresses in Ceph's notation."""
        return f"[v2:127.0.0.1:{self.mon_v2},v1:127.0.0.1:{self.mon_v1}]"


def write_conf(directory: Path, ports: Ports, server_pem: Path, fsid: uuid.UUID) -> Path:
    """Make the daemons' directories and `ceph.conf` below `directory`."""
    for name in ("mon", "osd", "rgw", "run", "log"):
        (directory / name).mkdir(parents=True)
    path = directory / "ceph.conf"
    path.write_text(
        _CONF.format(directory=directory, ports=ports, pem=server_pem, fsid=fsid), encoding="utf-8"
    )
    return path


# `auth ... = none` needs `ms mon client mode = crc`. No threads that clean up, sync or count:
# nothing here lives long enough. STS is off: with it every wrong key or secret is `AccessDenied`.
_CONF = """\
[global]
fsid = {fsid}
mon host = {ports.monitor}
mon initial members = a
public addr = 127.0.0.1
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
run dir = {directory}/run
admin socket =
log file = {directory}/log/$name.log
crash dir = {directory}/log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon osd initial require min compat client = luminous
ms bind ipv6 = false
debug ms = 0
ms mon client mode = crc
ms client mode = crc
ms cluster mode = crc
ms service mode = crc

[mon]
mon data = {directory}/mon
mon cluster log file = {directory}/log/cluster.log
auth allow insecure global id reclaim = false
paxos min wait = 0.01
paxos propose interval = 0.05
mon memory target = 200000000
mon rocksdb min wal logs = 1

[osd]
osd data = {directory}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 939524096
osd op num shards = 1
osd op num threads per shard = 2
osd max object name len = 256
osd class update on start = false
osd crush update on start = false
osd fast shutdown = true

[client.rgw.a]
rgw frontends = beast tcp_nodelay=1 endpoint=127.0.0.1:{ports.http} \
ssl_endpoint=127.0.0.1:{ports.https} ssl_certificate={pem}
rgw data = {directory}/rgw
rgw thread pool size = 32
rgw enable apis = s3, admin, iam
rgw enable usage log = false
rgw enable ops log = false
rgw enable gc threads = false
rgw enable lc threads = false
rgw run sync thread = false
rgw enable quota threads = false
rgw cache lru size = 1000
rgw bucket index max aio = 8
rgw override bucket index max shards = 1
rgw dynamic resharding = false
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
"""
