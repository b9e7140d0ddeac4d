"""Whose an object is."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.backtest.workload import MAX_NAME, workload_of


def owned(kind: str, name: str, **labels: str) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {
            "name": "p-x",
            "namespace": "shop",
            "labels": labels,
            "ownerReferences": [
                {"kind": "Lease", "name": "no", "controller": False},
                {"kind": kind, "name": name, "controller": True},
            ],
        },
    }


def named(value: Any) -> str:
    found = workload_of(value, kind="Pod", namespace="ns", name="n")
    return f"{found}, guessed" if found.guessed else str(found)


@pytest.mark.parametrize(
    ("value", "workload"),
    [
        (owned("ReplicaSet", "web-5d4f", **{"pod-template-hash": "5d4f"}),
         "Deployment shop/web, guessed"),
        (owned("ReplicaSet", "web-5d4f"), "ReplicaSet shop/web-5d4f"),
        (owned("Job", "nightly-29012345"), "CronJob shop/nightly, guessed"),
        (owned("Job", "migrate"), "Job shop/migrate"),
        (owned("StatefulSet", "db"), "StatefulSet shop/db"),
        (owned("Node", "cp-1"), "Node cp-1"),
        ({"kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}, "Pod shop/web"),
        ({"metadata": {"name": "run-x7k2p", "generateName": "run-"}}, "Pod ns/run-*"),
    ],
)  # fmt: skip
def test_a_pod_counts_under_its_owner(value: Any, workload: str) -> None:
    """The controller's controller is read from a name, which is said; else the object is itself."""
    assert named(value) == workload


@pytest.mark.parametrize(
    "value",
    [None, [], {"metadata": 7}, {"metadata": {"ownerReferences": {"kind": "x"}, "name": ["n"]}},
     {"metadata": {"ownerReferences": [None, {"controller": "true", "kind": "Evil"}]}}],
)  # fmt: skip
def test_an_odd_object_is_named_by_the_event(value: Any) -> None:
    """Whatever stands in the body."""
    assert named(value) == "Pod ns/n"


def test_a_hostile_name_is_made_harmless() -> None:
    """No line breaks, no escapes, no end in sight."""
    found = named(owned("Evil\n\x1b[31m", "x" * 5000))
    assert "\n" not in found
    assert "\x1b" not in found
    assert len(found) < 3 * MAX_NAME
