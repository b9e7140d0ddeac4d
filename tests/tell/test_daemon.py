"""The whole daemon tells what its spool holds, and `status` says how each receiver stands."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner
from msgspec import structs

from shipper.app import App
from shipper.cli.main import commands
from shipper.config import Config
from shipper.pipeline.progress import Progress
from shipper.tell.outbox import Outbox
from tests.daemon import Place
from tests.tell.life import Witness
from tests.tell.support import Said, alerts, receivers, serving


def told_by(place: Place, url: str) -> Config:
    section = {"type": "webhook", "name": "soc", "url": url}
    return structs.replace(place.config(shutdown={"drain": "2s"}), alerts=receivers(section))


def leave_alerts(place: Place, seq: int) -> None:
    """As a daemon that was killed just after the commit of record `seq` leaves them."""
    outbox = Outbox(place.spool, ["soc"], newest=seq - 1, logger=Said().logger)
    outbox.put(alerts(seq))


def status(place: Place, config_path: Path, *options: str) -> str:
    config_path.write_text(place.yaml())
    return CliRunner().invoke(commands, ["status", "--config", str(config_path), *options]).output


def test_the_next_start_tells_what_the_last_one_could_not(tmp_path: Path) -> None:
    """Though nothing new is read; and without receivers no queue is made."""
    place = Place(tmp_path)
    place.log.write_bytes(b"one\n")
    assert place.once() == 0
    assert not (place.spool / "alerts").exists()
    leave_alerts(place, 2)

    async def life() -> None:
        async with serving() as server:
            assert await place.life(config=told_by(place, server.url)) == 0
            (got,) = server.got
            assert got.json["data"]["alerts"][0]["evidence"]["seq"] == 2

    asyncio.run(life())
    found = json.loads(status(place, tmp_path / "c.yaml", "--output", "json"))["alerts"]["soc"]
    assert (found["told"], found["pending_records"], found["trouble"]) == (1, 0, "")


def test_once_with_a_receiver_that_is_away(tmp_path: Path) -> None:
    """`run --once` seals and ships all, ends with 3, and says who was not told; `status` too."""
    place = Place(tmp_path)
    place.log.write_bytes(b"one\n")
    place.once()
    leave_alerts(place, 2)
    assert place.once(config=told_by(place, "http://127.0.0.1:9/hook")) == 3
    assert '"receivers": ["soc"], "event": "alerts_waiting"' in place.said.getvalue()
    assert place.archived() == b"one\n"
    shown = status(place, tmp_path / "c.yaml")
    assert "alerts soc         told 0, held back 0, dead 0, pending records 1" in shown
    assert "trouble cannot be reached: Connection refused" in shown


RULE = """
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: pod-exec}
spec:
  title: Command run in a pod
  severity: critical
  match: {resources: [pods/exec]}
  message: "{{ event.user.username }} ran a command in {{ event.objectRef.namespace }}"
"""


def event(number: int) -> bytes:
    """A line as the API server writes it, without spaces."""
    written = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": f"00000000-0000-0000-0000-{number:012d}",
        "stage": "ResponseStarted",
        "requestURI": "/api/v1/namespaces/pay/pods/api-0/exec?command=sh",
        "verb": "create",
        "user": {"username": "jane", "groups": ["dev"]},
        "sourceIPs": ["203.0.113.9"],
        "objectRef": {
            "resource": "pods",
            "namespace": "pay",
            "name": "api-0",
            "apiVersion": "v1",
            "subresource": "exec",
        },
        "responseStatus": {"code": 101},
        "requestReceivedTimestamp": "2026-11-23T14:00:00.100000Z",
        "stageTimestamp": "2026-11-23T14:00:00.250000Z",
    }
    return json.dumps(written, separators=(",", ":")).encode() + b"\n"


def test_a_critical_event_is_sealed_and_then_told(tmp_path: Path) -> None:
    """From the audit log's line to the receiver, while the batch has an hour to fill."""

    async def life() -> None:
        place = Place(tmp_path)
        place.log.touch()
        (tmp_path / "rule.yaml").write_text(RULE)
        config = structs.replace(
            place.config(
                rules={"catalog": "none", "paths": [str(tmp_path / "rule.yaml")]},
                batch={"max_age": "1h"},
            ),
            alerts=receivers({"type": "webhook", "name": "soc", "url": "http://unset"}),
        )
        witness = Witness(place.spool)
        async with serving() as server:
            server.on_request = witness.hear
            soc = structs.replace(config.alerts[0], url=server.url)
            progress = Progress()
            app = App(
                structs.replace(config, alerts=(soc,)),
                once=False,
                logger=Said().logger,
                progress=progress,
            )
            running = asyncio.create_task(app.run())
            for number in range(3):
                with place.log.open("ab") as log:
                    log.write(event(number))
                await server.wait_for(number + 1)
            app.stop()
            assert await running == 0
        told = [got.json["data"]["alerts"][0] for got in server.got]
        assert [one["finding"]["audit_id"][-1] for one in told] == ["0", "1", "2"]
        assert told[0]["finding"]["message"] == "jane ran a command in pay"
        assert not witness.wrong
        assert place.verify() == 0

    asyncio.run(asyncio.wait_for(life(), 30))
