"""Findings, an HTTP server that plays a receiver, and receivers' loops with quick retries."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from aiohttp import web
from msgspec import structs

from shipper import config
from shipper.backoff import Backoff
from shipper.clock import SystemClock
from shipper.logs import Logger, make_logger
from shipper.model import Alerts, Evidence, Finding, Severity, What, Where, Who
from shipper.receivers import Receiver
from shipper.tell.alert import Alert, Message
from shipper.tell.courier import Courier
from shipper.tell.dispatcher import Dispatcher
from shipper.tell.http import Http
from shipper.tell.outbox import Outbox
from shipper.tell.tally import Tally
from shipper.tell.teller import Teller

LOG = "audit.example.com/prod/cp-1/0123456789abcdef"
SEALED = datetime(2026, 11, 23, 14, 0, 1, 500000, tzinfo=UTC)

LEAST = """
source: {path: /var/log/audit.log}
seal: {key_file: /etc/key.pem}
store: {url: "file:///srv/archive"}
"""


def evidence(seq: int = 7, *, sealed_at: datetime = SEALED) -> Evidence:
    return Evidence(
        log=LOG,
        seq=seq,
        manifest_sha256=f"{seq:064x}",
        manifest_key=f"prod/cp-1/0123456789abcdef/manifest/{seq:012d}-aaaaaaaaaaaaaaaa.note",
        sealed_at=sealed_at,
    )


def finding(
    rule: str = "pod-exec", *, severity: Severity = "high", line: int = 3, **changes: Any
) -> Finding:
    made = Finding(
        rule=rule,
        title="Command run in a pod",
        severity=severity,
        attack=("T1609",),
        message="jane ran a command in prod-pay/api-0",
        audit_id="5c1a2b3d-0000-4000-8000-123456789abc",
        line=line,
        time="2026-11-23T14:00:00.250000Z",
        who=Who(user="jane", groups=("dev", "system:authenticated")),
        what=What(
            stage="ResponseComplete",
            verb="create",
            resource="pods",
            subresource="exec",
            namespace="prod-pay",
            name="api-0",
            code=101,
        ),
        where=Where(
            source_ip="203.0.113.9",
            user_agent="kubectl/v1.33.1",
            uri="/api/v1/namespaces/prod-pay/pods/api-0/exec?command=sh",
        ),
    )
    return structs.replace(made, **changes)


def message(*findings: Finding) -> Message:
    return Message(tuple(Alert(evidence(), one) for one in findings or (finding(),)))


def alerts(seq: int, *findings: Finding, sealed_at: datetime | None = None) -> Alerts:
    now = sealed_at or datetime.now(UTC)
    return Alerts(evidence(seq, sealed_at=now), findings or (finding(line=seq),))


def receivers(*sections: dict[str, Any]) -> tuple[Receiver, ...]:
    """As they would be read from a configuration file."""
    return config.parse(LEAST + yaml.safe_dump({"alerts": list(sections)}), {}).alerts


def receiver(type_: str, **keys: Any) -> Any:
    """One receiver; secrets are named by files that nobody need have."""
    needs: dict[str, dict[str, str]] = {
        "webhook": {"url": "https://soc.example.com/hook"},
        "slack": {"url_file": "/run/slack"},
        "alertmanager": {"url": "http://alertmanager:9093"},
        "pagerduty": {"routing_key_file": "/run/pd"},
        "falcosidekick": {"url": "http://falcosidekick:2801/"},
    }
    return receivers({"type": type_, "name": type_, **needs[type_], **keys})[0]


class Got(NamedTuple):
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = web.Response | int | None
"""A response, a status, or nothing: the connection is cut."""


class Server:
    """A receiver on loopback. `answers` are given in turn, then 200 for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.got: list[Got] = []
        self.answers = list(answers)
        self.delay_seconds = 0.0
        self.on_request: Callable[[Got], object] = lambda got: None
        self.url = ""
        self._came = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        got = Got(request.path_qs, dict(request.headers), await request.read())
        self.on_request(got)
        await asyncio.sleep(self.delay_seconds)
        self.got.append(got)
        self._came.set()
        answer = self.answers.pop(0) if self.answers else 200
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            answer = 500
        return web.Response(status=answer) if isinstance(answer, int) else answer

    async def wait_for(self, count: int) -> list[Got]:
        """All requests, once there are `count`."""
        async with asyncio.timeout(20):
            while len(self.got) < count:
                self._came.clear()
                await self._came.wait()
        return self.got


@contextlib.asynccontextmanager
async def serving(
    *answers: Answer, tls: Path | None = None, port: int = 0
) -> AsyncIterator[Server]:
    """A server; with `tls` (key and certificate in PEM) over https."""
    server = Server(*answers)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()


class Said:
    """What was logged."""

    def __init__(self) -> None:
        self.text = ""
        self.logger: Logger = make_logger(level="debug", form="json", write=self._write)

    def _write(self, line: str) -> None:
        self.text += line + "\n"

    def lines(self, event: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in found if line["event"] == event]


class Desk:
    """A queue and its dispatcher, as one process has them."""

    def __init__(self, outbox: Outbox, dispatcher: Dispatcher, said: Said) -> None:
        self.outbox = outbox
        self.dispatcher = dispatcher
        self.said = said
        self.newest = -1

    async def seal(self, *records: Alerts) -> None:
        """Each record's alerts are put, and the record is committed."""
        for record in records:
            await asyncio.to_thread(self.outbox.put, record)
            self.newest = record.evidence.seq
            self.dispatcher.committed(self.newest)

    def tally(self, name: str) -> Tally:
        return next(tally for tally in self.dispatcher.tallies if tally.receiver == name)


QUICK = partial(Backoff, first=0.002, limit=0.01)


@contextlib.asynccontextmanager
async def desk(
    spool: Path,
    *wanted: dict[str, Any] | Receiver,
    newest: int | None = None,
    drain_seconds: float = 10,
) -> AsyncIterator[Desk]:
    """A running dispatcher for these receivers, or sections of them; at the end it drains."""
    said = Said()
    configured = [receivers(one)[0] if isinstance(one, dict) else one for one in wanted]
    names = [one.name for one in configured]
    outbox = Outbox(spool, names, newest=newest, logger=said.logger)
    http = Http()
    tallies = [Tally(one.name, "") for one in configured]
    couriers = []
    for one, tally in zip(configured, tallies, strict=True):
        teller = Teller(
            one,
            http.post,
            dead_letters=outbox.dead_letters,
            trouble=partial(outbox.trouble, one.name),
            tally=tally,
            clock=SystemClock(),
            logger=said.logger,
            backoff=QUICK,
            refused=QUICK,
        )
        released = -1 if newest is None else newest
        couriers.append(
            Courier(one, outbox, teller, released=released, tally=tally, logger=said.logger)
        )
    dispatcher = Dispatcher(couriers, tallies, close=http.close, logger=said.logger)
    running = asyncio.create_task(dispatcher.run())
    try:
        yield Desk(outbox, dispatcher, said)
    finally:
        await dispatcher.drain(running, within_seconds=drain_seconds)
