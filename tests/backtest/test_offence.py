"""Which fields a policy objects to, found by taking them out."""

from __future__ import annotations

from typing import Any

from shipper.backtest import offence
from shipper.backtest.offence import offending


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    metadata = {"name": "p", "labels": {"app": "web", "tier": "front"}}
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": list(containers), **spec}}


def container(name: str, **context: Any) -> dict[str, Any]:
    ports = [{"containerPort": number, "name": f"p{number}"} for number in range(5)]
    return {"name": name, "image": "x:1", "ports": ports, "securityContext": context}


def unprivileged(value: Any) -> bool:
    """As a CEL policy would have it: it fails on an object without containers."""
    found = value["spec"]["containers"]
    return all(not one.get("securityContext", {}).get("privileged") for one in found)


def test_the_offending_field_is_found() -> None:
    """The very field, among all that the object has."""
    value = pod(container("a", readOnly=True), container("b", privileged=True, readOnly=True))
    assert offending(value, unprivileged) == [
        ("spec", "containers", 1, "securityContext", "privileged")
    ]


def test_all_of_them_are_found() -> None:
    """What must go together goes together."""
    value = pod(
        container("a", privileged=True), container("b"), container("c", privileged=True),
        hostNetwork=True,
    )  # fmt: skip

    def passes(value: Any) -> bool:
        return unprivileged(value) and not value["spec"].get("hostNetwork")

    assert set(offending(value, passes)) == {
        ("spec", "containers", 0, "securityContext", "privileged"),
        ("spec", "containers", 2, "securityContext", "privileged"),
        ("spec", "hostNetwork"),
    }


def test_elements_of_lists_and_labels_are_fields() -> None:
    """A capability is taken out of its list, a label out of its map."""
    value = pod(container("a", capabilities={"add": ["NET_ADMIN", "SYS_ADMIN"]}))

    def passes(value: Any) -> bool:
        return "SYS_ADMIN" not in str(value) and "tier" not in value["metadata"].get("labels", {})

    assert offending(value, passes) == [
        ("metadata", "labels", "tier"),
        ("spec", "containers", 0, "securityContext", "capabilities", "add", 1),
    ]


def test_what_goes_whole_is_one_place() -> None:
    """A volume's hostPath is a path and a type; both must go, and so it."""
    value = pod(container("a"), volumes=[{"name": "h", "hostPath": {"path": "/", "type": ""}}])

    def passes(value: Any) -> bool:
        return not any("hostPath" in one for one in value["spec"].get("volumes", []))

    assert offending(value, passes) == [("spec", "volumes", 0, "hostPath")]


def test_what_is_missing_is_not_found() -> None:
    """No taking out helps, and none is claimed to: neither of what an object is known by."""
    assert offending(pod(container("a")), lambda value: "owner" in value["metadata"]) == []
    assert offending(pod(container("a")), lambda value: value["kind"] != "Pod") == []
    assert offending(None, lambda value: value != 1) == []


def test_the_questions_are_bounded() -> None:
    """Also for an object that was made to cost many."""
    asked = 0

    def passes(value: Any) -> bool:
        nonlocal asked
        asked += 1
        return len(str(value)) < 500

    wide = pod(**{f"f{number}": "x" * 10 for number in range(400)})
    assert offending(wide, passes) == []
    assert asked == offence.MAX_QUESTIONS
    deep: Any = 1
    for _ in range(900):
        deep = {"x": deep}
    offending({"spec": deep}, passes)
    huge = pod(**{f"f{number}": 1 for number in range(5000)})
    asked = 0
    assert offending(huge, passes) == []
    assert asked == 0
