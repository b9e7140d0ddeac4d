"""The daemon with guardrail rules: findings are sealed with their batch, a severe one at once."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shipper.cli.main import commands
from shipper.errors import ConfigError
from shipper.model import Finding, Manifest
from shipper.seal import note
from shipper.seal.findings import decode_findings
from shipper.seal.manifest import decode_manifest
from tests.daemon import Place
from tests.process import QUICK, append, running

RULE = """
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: %(name)s}
spec:
  title: A secret was read
  severity: %(severity)s
  mode: %(mode)s
  match: {verbs: [get], resources: [secrets]}
  message: "{{ event.user.username }} read {{ event.objectRef.name }}"
"""


def event(number: int, resource: str = "secrets", **more: Any) -> bytes:
    """An audit event, a line."""
    return (
        json.dumps(
            {
                "kind": "Event",
                "apiVersion": "audit.k8s.io/v1",
                "level": "Metadata",
                "auditID": f"id-{number}",
                "stage": "ResponseComplete",
                "requestURI": "/api/v1/namespaces/x/secrets/s",
                "verb": "get",
                "user": {"username": "bob", "groups": ["people"]},
                "sourceIPs": ["192.0.2.1", "203.0.113.9"],
                "objectRef": {"resource": resource, "namespace": "x", "name": f"s{number}"},
                "responseStatus": {"code": 200},
                "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z",
                "stageTimestamp": "2026-01-01T00:00:00.000001Z",
            }
            | more
        ).encode()
        + b"\n"
    )


def rules(
    place: Place, *, severity: str = "low", mode: str = "alert", name: str = "secret"
) -> Path:
    """A file with one rule in it."""
    path = place.root / "rules.yaml"
    path.write_text(RULE % {"severity": severity, "mode": mode, "name": name})
    return path


def page(path: Path, **batch: str) -> dict[str, dict[str, Any]]:
    """The sections of the configuration that put these rules in force."""
    return {"rules": {"catalog": "none", "paths": [str(path)]}, "batch": batch}


def manifests(place: Place) -> list[Manifest]:
    paths = sorted(place.archive.glob("*/*/*/manifest/*"), key=lambda path: path.name)
    return [decode_manifest(note.parse(path.read_bytes()).text) for path in paths]


def findings(place: Place) -> list[Finding]:
    """All that `cat --findings` prints."""
    arguments = ["cat", place.url, "--key", str(place.public), "--findings"]
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == 0
    return list(decode_findings(result.stdout_bytes))


def sealed_lines(place: Place) -> int:
    return sum(m.data.lines for m in manifests(place) if m.data)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_findings_are_sealed_with_their_batch(place: Place) -> None:
    """Who, what and where, with the line's number in its batch; the manifest counts them."""
    path = rules(place)
    place.log.write_bytes(event(0, "pods") + event(1) + b"garbage\n" + event(2))
    assert place.once(config=place.config(**page(path))) == 0
    assert place.verify() == 0
    malformed, *found = sorted(findings(place), key=lambda finding: finding.rule)
    assert [(one.rule, one.line, one.message) for one in found] == [
        ("secret", 1, "bob read s1"),
        ("secret", 3, "bob read s2"),
    ]
    assert (malformed.rule, malformed.line) == ("malformed-line", 2)
    first = found[0]
    assert (first.who.user, first.where.source_ip, first.what.name) == ("bob", "203.0.113.9", "s1")
    (sealed,) = [m.findings for m in manifests(place) if m.findings]
    assert (sealed.count, sealed.by_severity) == (3, {"low": 3})
    assert place.archived() == event(0, "pods") + event(1) + b"garbage\n" + event(2)


@pytest.mark.parametrize("room_bytes", [1, 1500, 30_000])
def test_findings_fill_a_batch_before_its_lines_do(
    place: Place, monkeypatch: pytest.MonkeyPatch, room_bytes: int
) -> None:
    """A megabyte of the log gives cause for hundreds of megabytes of findings: more than fits into
    the memory, and than a verifier takes. Each line is sealed once, in its order."""
    monkeypatch.setattr("shipper.batch.cutter.MAX_FINDINGS_BYTES", room_bytes)
    lines = [event(number, resource=("secrets", "pods")[number % 3 == 0]) for number in range(90)]
    place.log.write_bytes(b"".join(lines) + b"no event" + b"\n" + lines[1].rstrip(b"\n"))
    assert place.once(config=place.config(**page(rules(place)))) == 0
    assert place.archived() == place.log.read_bytes()
    assert len(findings(place)) == 62
    sizes = [one.findings.raw_size for one in manifests(place) if one.findings]
    assert max(sizes) < room_bytes + 1500
    assert place.verify() == 0


def test_the_rules_in_force_are_in_every_manifest(place: Place) -> None:
    """By their hash; without rules there is none."""
    place.log.write_bytes(event(1))
    assert place.once(config=place.config(**page(rules(place)))) == 0
    hashes = {m.agent.rules_sha256 for m in manifests(place)}
    assert len(hashes) == 1
    assert isinstance(hashes.pop(), str)


def test_other_rules_at_a_restart_are_a_notice(place: Place) -> None:
    """The record says from where on other rules were in force."""
    config = place.config(**page(rules(place)))
    place.log.write_bytes(event(1))
    place.once(config=config)
    rules(place, severity="high")
    place.once(config=config)
    (notice,) = [m.notice for m in manifests(place) if m.notice]
    assert notice.reason == "config-changed"
    assert notice.detail.startswith("rules ")


@pytest.mark.parametrize(
    ("severity", "mode", "batches"),
    [("high", "alert", 2), ("low", "alert", 1), ("high", "shadow", 1)],
)
def test_a_severe_finding_closes_its_batch(
    place: Place, severity: str, mode: str, batches: int
) -> None:
    """It is sealed at once; one that is less severe, or in shadow, waits for the batch to fill."""
    place.log.write_bytes(event(0, "pods") + event(1) + event(2, "pods"))
    split = place.config(**page(rules(place, severity=severity, mode=mode)))
    assert place.once(config=split) == 0
    with running(place, **page(rules(place, severity=severity, mode=mode), max_age="1h")) as daemon:
        daemon.wait_for_event("started")
        append(place, event(1))
        if batches > 1:
            daemon.wait_for(lambda: sealed_lines(place) == 4, "the finding")
        append(place, event(2, "pods"))
        time.sleep(0.3)
        assert daemon.end() == 0
    data = [m.data.lines for m in manifests(place) if m.data]
    assert sum(data) == 5
    assert len(data) == batches + 1
    assert place.verify() == 0


def test_a_bad_rule_ends_the_start(place: Place) -> None:
    """With every mistake, its file and line; nothing is read under half a set."""
    path = rules(place)
    path.write_text(path.read_text() + "---\n" + path.read_text().replace("low", "tiny"))
    with pytest.raises(ConfigError, match=r"rules\.yaml:\d+: .*tiny"):
        place.once(config=place.config(**page(path)))
    assert manifests(place) == []


def test_a_changed_rule_file_is_read_again(place: Place) -> None:
    """New rules come into force between two batches, with a notice; a bad set changes nothing."""
    path = rules(place)
    with running(place, **(page(path) | {"batch": QUICK})) as daemon:
        append(place, event(1))
        daemon.wait_for(lambda: sealed_lines(place) == 1, "the first event")
        path.write_text("spec: [")
        daemon.wait_for_event("reload_refused")
        append(place, event(2))
        daemon.wait_for(lambda: sealed_lines(place) == 2, "the second event")
        rules(place, name="other", severity="medium")
        daemon.wait_for_event("reloaded")
        append(place, event(3))
        daemon.wait_for(lambda: sealed_lines(place) == 3, "the third event")
        assert daemon.end() == 0
    assert [one.rule for one in findings(place)] == ["secret", "secret", "other"]
    before, after = {m.agent.rules_sha256: None for m in manifests(place)}
    (changed,) = [m for m in manifests(place) if m.notice]
    assert changed.agent.rules_sha256 == after != before
    assert place.verify() == 0


def test_a_hangup_reads_the_configuration_again(place: Place) -> None:
    """Its rules come into force; what needs a restart is named and left as it was."""
    path = rules(place)
    sections = page(path) | {"batch": QUICK}
    with running(place, **sections) as daemon:
        append(place, event(1))
        daemon.wait_for(lambda: sealed_lines(place) == 1, "the first event")
        silenced = page(path)["rules"] | {"overrides": {"secret": {"mode": "off"}}}
        daemon.config.write_text(
            place.yaml(**(sections | {"rules": silenced, "batch": QUICK | {"max_age": "1h"}}))
        )
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_event("reload_needs_restart")
        daemon.wait_for_event("reloaded")
        append(place, event(2))
        daemon.wait_for(lambda: sealed_lines(place) == 2, "the second event")
        assert daemon.end() == 0
    assert [one.line for one in findings(place)] == [0]
    assert '"batch"' in daemon.said.read_text()
