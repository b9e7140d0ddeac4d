"""The policies of each moment, of a history that lies in several logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard

from shipper.backtest import chronicle as chronicling
from shipper.backtest.chronicle import Listener, chronicle
from shipper.backtest.court import Court
from shipper.backtest.tally import Place, Subject
from shipper.errors import ConfigError
from shipper.model import Data
from shipper.rules.ruleset import RuleSet
from shipper.verify.request import Window
from tests.backtest.support import labelled, tried
from tests.rules.dialects.tiny import GROUP, RULE, TINY, config_map, demand

pytestmark = pytest.mark.usefixtures("tiny")


def written(number: int, document: dict[str, Any], resource: str, verb: str = "create") -> bytes:
    """An object was written."""
    metadata = document["metadata"]
    reference = {
        "apiGroup": GROUP if resource == "demands" else "", "apiVersion": "v1",
        "resource": resource, "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
    }  # fmt: skip
    return labelled(number, verb=verb, objectRef=reference, responseObject=document)


def reader(*logs: Sequence[bytes]) -> Callable[[Listener], None]:
    """A history of logs of one batch each."""

    def read(listener: Listener) -> None:
        for number, lines in enumerate(logs):
            raw = b"\n".join(lines)
            body = zstandard.ZstdCompressor().compress(raw)
            data = Data(
                key="", size=len(body), sha256="0" * 64, raw_size=len(raw), lines=len(lines),
                events_root="0" * 64, unterminated=False,
            )  # fmt: skip
            listener.judge(Place(f"log-{number}", 0), body, data)

    return read


def replayed(directory: Path, *documents: dict[str, Any]) -> RuleSet:
    rules = tried(directory, *(documents or [demand("else", resources=["nodes"])]))
    return rules.with_policies(rules.policies, TINY.make())


def test_changes_of_all_logs_come_in_the_order_of_time(tmp_path: Path) -> None:
    """Those of policies; reads, refusals and other objects are left out."""
    read = reader(
        [labelled(1), written(5, demand(label="b"), "demands", "update")],
        [written(2, demand(), "demands"), written(3, demand(), "demands", "get"), b"garbage"],
    )
    events = chronicle(read, replayed(tmp_path))
    assert [event.terms.event.auditID for event in events] == ["id-2", "id-5"]


def test_a_parameter_that_only_the_history_names_is_found(tmp_path: Path) -> None:
    """The history is read again for kinds that it turns out to matter."""
    read = reader(
        [written(4, config_map("limits", label="x"), "configmaps")],
        [written(2, demand(params="limits"), "demands")],
    )
    events = chronicle(read, replayed(tmp_path))
    assert [event.terms.event.auditID for event in events] == ["id-2", "id-4"]


def test_each_log_is_asked_by_the_policies_of_its_moments(tmp_path: Path) -> None:
    """Whichever API server they were written through; time begins anew with each log."""
    made, gone = written(3, demand(), "demands"), written(6, demand(), "demands", "delete")
    pods = [labelled(2), labelled(5), labelled(8)]
    rules = replayed(tmp_path)
    court = Court([rules], Window(), chronicle(reader([made, gone], pods), rules))
    for log, lines in (("a", pods), ("b", [made, gone]), ("c", pods)):
        court.judge(Place(log, 0), lines)
    found = court.result.tally.rules[Subject("Demand", "", "has-team", RULE)]
    assert (found.matches, found.spoken) == (2, 2)
    assert [sample.finding.audit_id for sample in found.samples] == ["id-5"]


def test_more_changes_than_fit_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a part of them that looks like all."""
    monkeypatch.setattr(chronicling, "MAX_BYTES", 1000)
    read = reader([written(number, demand(), "demands") for number in range(9)])
    with pytest.raises(ConfigError, match="changes of policies"):
        chronicle(read, replayed(tmp_path))
