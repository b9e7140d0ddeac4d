"""The whole daemon with an S3 store, stopped or failed at every call: nothing lost, nothing twice.

The product of all calls and all faults runs against a store in memory that keeps versions as the
gateway does (0.1 s a case, which on the gateway takes 0.5 s). On the gateway the process stops
after each kind of call, and then every single HTTP call fails once.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest

from shipper.config import Config
from shipper.errors import SpoolError
from shipper.store.base import Store
from shipper.store.directory import DirectoryStore
from shipper.store.open import open_store
from tests.daemon import Place
from tests.faults import Crash, Fault, FaultyDisk
from tests.s3 import faults
from tests.s3.ceph import Ceph
from tests.s3.node import Node
from tests.s3.proxy import FaultProxy
from tests.store.faulty import FaultyStore, StoreFault, VersionedStore
from tests.test_crash import write_log

STOPS: tuple[StoreFault, ...] = ("before", "after")


def same_number_twice(keys: Iterable[str]) -> list[str]:
    """The manifests whose number another one has too."""
    manifests = {key for key in keys if "/manifest/" in key}
    numbers = Counter(key.rpartition("/")[2][:12] for key in manifests)
    return [key for key in manifests if numbers[key.rpartition("/")[2][:12]] > 1]


def run(place: Place, config: Config, store: Store, at: int | str, fault: StoreFault) -> bool:
    """One life; whether the fault was reached. Only a stop may end it otherwise than well."""
    disk = FaultyDisk(-1, "before")
    faulty = FaultyStore(store, at, fault, disk)
    try:
        assert place.once(config=config, store=faulty, disk=disk) == 0, (at, fault)
    except Crash:
        assert fault in STOPS
    return faulty.reached


def check(place: Place, store: VersionedStore, expected: bytes, case: object) -> None:
    """The archive is the log and proves it, and no object was written twice."""
    directory = DirectoryStore(place.archive)
    for key, body in store.objects.items():
        directory.put(key, body)
    assert place.archived() == expected, case
    assert place.verify() == 0, (case, place.said.getvalue())
    assert not [key for key, versions in store.written.items() if versions > 1], case
    assert not same_number_twice(store.objects), case


@pytest.mark.parametrize("fault", get_args(StoreFault))
def test_every_call(tmp_path: Path, fault: StoreFault) -> None:
    """A fault at any call, one more start, and the archive is the log, byte for byte."""
    step = 0
    while True:
        place = Place(tmp_path / str(step))
        config, expected = write_log(place)
        store = VersionedStore()
        if not run(place, config, store, step, fault):
            break
        assert place.once(config=config, store=store) == 0
        check(place, store, expected, step)
        step += 1
    assert step >= 14


def test_two_faults(tmp_path: Path) -> None:
    """A stop at one call, and any fault at any call of the next start."""
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)
    for number in range(25):
        first, second = dice.randrange(14), dice.randrange(12)
        stop, fault = dice.choice(STOPS), dice.choice(get_args(StoreFault))
        place = Place(tmp_path / str(number))
        config, expected = write_log(place)
        store = VersionedStore()
        run(place, config, store, first, stop)
        run(place, config, store, second, fault)
        assert place.once(config=config, store=store) == 0
        check(place, store, expected, (seed, first, stop, second, fault))


@pytest.mark.parametrize("fault", ["after", "power-loss"])
def test_every_step_of_the_spool(tmp_path: Path, fault: Fault) -> None:
    """What the disk does to the marks of what is shipped makes no second version either."""
    step = 0
    while True:
        place = Place(tmp_path / str(step))
        config, expected = write_log(place)
        store, disk = VersionedStore(), FaultyDisk(step, fault)
        with suppress(Crash, SpoolError):
            place.once(config=config, store=store, disk=disk)
        if not disk.reached:
            break
        assert place.once(config=config, store=store) == 0
        check(place, store, expected, step)
        step += 1
    assert step >= 30


# ---- on the gateway


def check_bucket(node: Node, expected: bytes) -> None:
    """The same of a bucket, and every version in it is locked."""
    assert node.archived() == expected
    assert node.verify("--locked-until", "40h") == 0, node.said.getvalue()
    assert not node.twice()
    assert not node.unlocked()
    assert not same_number_twice(key for key, _ in node.versions())


CALLS = ("put log.note", "put events", "put manifest", "put checkpoint", "scan")


@pytest.mark.parametrize("call", CALLS)
def test_a_stop_after_each_kind_of_call(ceph: Ceph, tmp_path: Path, call: str) -> None:
    """What a stop leaves behind is found by the next start."""
    node = Node(ceph, tmp_path)
    config, expected = write_log(node)
    assert run(node, config, open_store(config.store), call, "after")
    assert node.once(config=config) == 0
    check_bucket(node, expected)


class EachOnce:
    """The plan in which the first try of every different call meets the fault."""

    def __init__(self, fault: faults.Fault) -> None:
        self._fault = fault
        self._seen: set[tuple[str, str]] = set()
        self._choosing = threading.Lock()

    def __call__(self, request: faults.Request) -> faults.Fault:
        with self._choosing:
            call = request.method, request.path
            first = call not in self._seen
            self._seen.add(call)
        return self._fault if first else faults.Pass()


@pytest.mark.parametrize(
    "fault",
    [faults.ResetInside(), faults.LoseAnswer(), faults.Truncate()],
    ids=lambda fault: type(fault).__name__,
)
def test_every_http_call_fails_once(
    ceph: Ceph, ceph_proxy: FaultProxy, tmp_path: Path, fault: faults.Fault
) -> None:
    """Uploads, the look before a repeat, the lock read back, listings: each is simply repeated."""
    node = Node(ceph, tmp_path, endpoint=ceph_proxy.endpoint)
    node.log.write_bytes(b"one\ntwo\n")
    ceph_proxy.plan = EachOnce(fault)
    assert node.once(config=node.config(store={"confirm": "all"})) == 0, node.said.getvalue()
    check_bucket(node, b"one\ntwo\n")
    assert ceph_proxy.count("PUT", fault=type(fault)) >= 7
