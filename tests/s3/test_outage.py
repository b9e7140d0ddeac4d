"""The daemon, as a process, through all that a network, a service and a person can do to it."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest

from tests.pipeline.test_ship import check_order
from tests.process import Daemon, append, running
from tests.s3 import faults
from tests.s3.ceph import Ceph, Keys
from tests.s3.daemons import free_ports
from tests.s3.faults import Fault, Request
from tests.s3.following import QUIET, check, pending, seal, sealed, ship, trouble
from tests.s3.node import Node
from tests.s3.proxy import FaultProxy
from tests.s3.stores import write_credentials
from tests.s3.tls import Authority
from tests.test_guardrails import rules

# ---- what passes by itself

WEATHER: dict[str, Fault] = {
    "SlowDown": faults.slow_down(),
    "500": faults.internal_error(),
    "a proxy's 502": faults.html(502),
    "a proxy's 200": faults.html(200),
    "half-closed": faults.HalfClose(),
    "reset": faults.ResetBefore(),
    "lost answers": faults.LoseAnswer(),
    "half answers": faults.Truncate(),
}


@pytest.mark.usefixtures("black_hole")
def test_weather(ceph: Ceph, ceph_proxy: FaultProxy, tmp_path: Path) -> None:
    """Sealing goes on, `status` says what is wrong, and when it is over all is shipped."""
    node = Node(ceph, tmp_path, endpoint=ceph_proxy.endpoint)
    with running(node, batch=QUIET) as daemon:
        daemon.wait_for_event("started")
        for name, fault in WEATHER.items():
            ceph_proxy.forget()
            ceph_proxy.plan = faults.always(fault)
            seal(daemon, node, name.encode() + b"\n")
            daemon.wait_for(lambda: ceph_proxy.count() >= 3, name)
            assert trouble(daemon), name
            ceph_proxy.plan = faults.passes
            daemon.wait_for(lambda: pending(node) == 0, name)
            assert not trouble(daemon), name
        assert daemon.end() == 0
    assert {"store_failed", "store_recovered"} <= set(daemon.events())
    check(node, "".join(f"{name}\n" for name in WEATHER).encode())


def test_a_slow_service(ceph: Ceph, ceph_proxy: FaultProxy, tmp_path: Path) -> None:
    """Answers that come in drops are waited for."""
    node = Node(ceph, tmp_path, endpoint=ceph_proxy.endpoint)
    ceph_proxy.plan = faults.always(faults.Trickle(4000))
    with running(node, batch=QUIET) as daemon:
        daemon.wait_for_event("started")
        ship(daemon, node, b"one\n")
        assert daemon.end() == 0
    assert not {"store_failed", "preflight_failed"} & set(daemon.events())
    check(node, b"one\n")


def test_a_name_that_does_not_resolve(ceph: Ceph, tmp_path: Path) -> None:
    """The daemon starts, seals, says which name, and ends in time; the next start ships."""
    node = Node(ceph, tmp_path, endpoint="https://archive.invalid")
    with running(node, batch=QUIET, shutdown={"drain": "1s"}) as daemon:
        daemon.wait_for_event("started")
        seal(daemon, node, b"one\n")
        daemon.wait_for_event("store_failed")
        assert "archive.invalid" in trouble(daemon)
        assert daemon.end() == 0
    node.endpoint = ceph.endpoint
    assert node.once() == 0
    check(node, b"one\n")


# ---- what needs a person


class Refusal(NamedTuple):
    """A node, what goes wrong with it, and what a person does about it."""

    code: str
    node: Node
    proxy: FaultProxy
    begin: Callable[[], object]
    end: Callable[[], object]


def _told(ceph: Ceph, proxy: FaultProxy, root: Path, code: str, answer: Fault) -> Refusal:
    """A refusal that the proxy makes."""

    def plan(made: faults.Plan) -> Callable[[], None]:
        return lambda: setattr(proxy, "plan", made)

    node = Node(ceph, root, endpoint=proxy.endpoint)
    return Refusal(code, node, proxy, plan(faults.always(answer)), plan(faults.passes))


def _rotated(ceph: Ceph, proxy: FaultProxy, root: Path) -> Refusal:
    """A key that is taken away, and another that is written over it later."""
    first, second = (Keys(uuid.uuid4().hex[:20].upper(), uuid.uuid4().hex) for _ in range(2))

    def admin(verb: str, keys: Keys) -> None:
        secret = [f"--secret-key={keys.secret}"] if verb == "create" else []
        ceph.admin("key", verb, "--uid=owner", f"--access-key={keys.access}", *secret)

    def give() -> None:
        admin("create", second)
        write_credentials(root, second, node.credentials)

    node = Node(ceph, root, endpoint=proxy.endpoint)
    admin("create", first)
    write_credentials(root, first, node.credentials)
    return Refusal("InvalidAccessKeyId", node, proxy, lambda: admin("rm", first), give)


def test_what_needs_a_person(ceph: Ceph, tls: Authority, tmp_path: Path) -> None:
    """It is said at once, in one line of log and in `status`, with what to do; it is tried slowly,
    and without a restart all is shipped once it is mended."""
    with ExitStack() as stack:

        def proxy() -> FaultProxy:
            made = FaultProxy(("127.0.0.1", ceph.ports.https), tls=tls)
            return stack.enter_context(made)

        refusals = [
            _told(ceph, proxy(), tmp_path / "1", "AccessDenied", faults.access_denied()),
            _told(ceph, proxy(), tmp_path / "2", "NoSuchBucket", faults.no_such_bucket()),
            _told(ceph, proxy(), tmp_path / "3", "ExpiredToken", faults.expired_token()),
            _rotated(ceph, proxy(), tmp_path / "4"),
        ]
        daemons = [stack.enter_context(running(one.node, batch=QUIET)) for one in refusals]
        for daemon, one in zip(daemons, refusals, strict=True):
            daemon.wait_for_event("started")
            ship(daemon, one.node, b"one\n")
            one.begin()
            one.proxy.forget()
            seal(daemon, one.node, b"two\n")
        for daemon, one in zip(daemons, refusals, strict=True):
            daemon.wait_for_event("store_refused")
            said = daemon.lines("store_refused")[0]
            assert said["level"] == "error"
            assert one.code in said["error"]
            assert "; " in said["error"]  # and what to do
            assert one.code in trouble(daemon)
            assert one.proxy.count() <= 3, one.code
            one.end()
        for daemon, one in zip(daemons, refusals, strict=True):
            daemon.wait_for(lambda node=one.node: pending(node) == 0, one.code)  # type: ignore[misc]
            daemon.wait_for_event("store_recovered")
            assert not trouble(daemon)
            daemon.process.send_signal(signal.SIGTERM)
        for daemon, one in zip(daemons, refusals, strict=True):
            assert daemon.process.wait(30) == 0
            check(one.node, b"one\ntwo\n")


# ---- a long one


class Recovery:
    """A service that first refuses uploads, and is slow with data after that.

    `under_way`: how many calls there were at the beginning of each upload that passed.
    """

    def __init__(self, refuses: int) -> None:
        self.under_way: list[int] = []
        self.proxy: FaultProxy | None = None
        self._refuses = refuses
        self._deciding = threading.Lock()

    def __call__(self, request: Request) -> Fault:
        if self.proxy is None:
            return faults.slow_down()
        if request.method != "PUT":
            return faults.Pass()
        with self._deciding:
            self._refuses -= 1
            if self._refuses >= 0:
                return faults.slow_down()
            self.under_way.append(request.number + 1 - len(self.proxy.log))
        return faults.Delay(0.15) if "/events/" in request.path else faults.Pass()


def stored(proxy: FaultProxy) -> list[str]:
    """The keys below the log's prefix, in the order in which the gateway stored them."""
    paths = (call.path for call in proxy.log if (call.method, call.upstream) == ("PUT", 200))
    return [unquote(path).split("/", 6)[6] for path in paths]


def test_a_long_outage(ceph: Ceph, tls: Authority, tmp_path: Path) -> None:
    """Down at the start, the store finds a backlog when it is up. It is drained oldest first, data
    before findings (each line is malformed) before manifests before checkpoints at every moment,
    with few calls at a time and then many."""
    port, recovery = free_ports(1)[0], Recovery(refuses=40)
    node = Node(ceph, tmp_path, endpoint=f"https://127.0.0.1:{port}")
    lines = [b"%02d" % number * 33_000 + b"\n" for number in range(60)]
    in_force = {"paths": [str(rules(node))]}
    with running(node, batch=QUIET, rules=in_force, shutdown={"drain": "2s"}) as daemon:
        daemon.wait_for_event("started")
        assert {"preflight_failed", "old_head_not_found"} <= set(daemon.events())
        for line in lines:
            append(node, line)
        daemon.wait_for(lambda: pending(node) > len(lines), "the backlog")
        gateway = ("127.0.0.1", ceph.ports.https)
        with FaultProxy(gateway, tls=tls, plan=recovery, port=port) as recovery.proxy:
            daemon.wait_for(lambda: pending(node) == 0, "the drain")
            order = stored(recovery.proxy)
            assert daemon.end() == 0
    check_order(order)
    kinds = Counter(key.split("/")[0] for key in order)
    assert kinds["manifest"] > kinds["events"] == kinds["findings"] == len(lines)
    assert max(recovery.under_way[:3]) <= 4
    assert max(recovery.under_way) >= 8
    check(node, b"".join(lines))


# ---- stopping, and black holes


def seconds_to_end(daemon: Daemon) -> float:
    """How long it takes to end with 0 after SIGTERM."""
    began = time.monotonic()
    assert daemon.end() == 0
    return time.monotonic() - began


@pytest.mark.parametrize("fault", [faults.BlackHole(), faults.Trickle(1)], ids=repr)
def test_a_stop_waits_for_no_call(
    ceph: Ceph, ceph_proxy: FaultProxy, tmp_path: Path, fault: Fault
) -> None:
    """Calls that hang for 15 s and more hold up the end for the drain time and no longer."""
    node = Node(ceph, tmp_path, endpoint=ceph_proxy.endpoint)
    with running(node, batch=QUIET, shutdown={"drain": "1s"}) as daemon:
        daemon.wait_for_event("started")
        ship(daemon, node, b"one\n")
        ceph_proxy.plan = faults.always(fault, "PUT")
        seal(daemon, node, b"two\n")
        assert seconds_to_end(daemon) < 8
    assert "drain_incomplete" in daemon.events()
    ceph_proxy.plan = faults.passes
    assert node.once() == 0
    check(node, b"one\ntwo\n")


def test_a_stop_waits_for_no_start(ceph: Ceph, ceph_proxy: FaultProxy, tmp_path: Path) -> None:
    """Told to stop while the first question to the store hangs, it ends, and has begun nothing."""
    node = Node(ceph, tmp_path, endpoint=ceph_proxy.endpoint)
    ceph_proxy.plan = faults.always(faults.BlackHole())
    append(node, b"one\n")
    with running(node, batch=QUIET) as daemon:
        daemon.wait_for(lambda: ceph_proxy.count() > 0, "the first question")
        assert seconds_to_end(daemon) < 8
    assert sealed(node) == -1


class Lost(NamedTuple):
    """A daemon whose calls go nowhere."""

    node: Node
    proxy: FaultProxy
    daemon: Daemon


@pytest.fixture(scope="module")
def black_hole(
    ceph: Ceph, tls: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lost]:
    """Begun with the first test of this file: what it waits for takes 15 s."""
    with FaultProxy(("127.0.0.1", ceph.ports.https), tls=tls) as proxy:
        node = Node(ceph, tmp_path_factory.mktemp("black-hole"), endpoint=proxy.endpoint)
        with running(node, batch=QUIET) as daemon:
            daemon.wait_for_event("started")
            ship(daemon, node, b"one\n")
            proxy.plan = faults.once(faults.BlackHole())
            seal(daemon, node, b"two\n")
            yield Lost(node, proxy, daemon)


def test_a_black_hole(black_hole: Lost) -> None:
    """Silence is a failure after 15 s: it is said, and the next try ships."""
    node, proxy, daemon = black_hole
    daemon.wait_for_event("store_recovered")
    (said,) = daemon.lines("store_failed")
    assert "Read timeout" in said["error"]
    daemon.wait_for(lambda: pending(node) == 0, "the store")
    assert proxy.count(fault=faults.BlackHole) == 1
    assert daemon.end() == 0
    check(node, b"one\ntwo\n")
