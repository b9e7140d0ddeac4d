"""The variables: `event` with all its fields, and the object as admission would have seen it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shipper.rules.terms import wanted
from tests.rules.support import line, pod, terms

STATUS = {"kind": "Status", "apiVersion": "v1", "code": 200}
OBJECT = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}}
SENT, STORED = OBJECT | {"spec": {"sent": True}}, OBJECT | {"spec": {"stored": True}}
REF = {"resource": "pods", "namespace": "n", "name": "p"}


def bound(raw: bytes, *roots: str) -> dict[str, Any]:
    return terms(raw).bind(wanted([tuple(root.split(".")) for root in roots]))


def request(verb: str, code: int = 200, **fields: Any) -> bytes:
    return line(**{"verb": verb, "objectRef": REF, "responseStatus": {"code": code}} | fields)


def test_the_event_has_every_field() -> None:
    """What the API server leaves out is an empty text, list or map, or 0."""
    event = bound(line(), "event")["event"]
    assert event == {
        "auditID": "id",
        "level": "RequestResponse",
        "stage": "ResponseComplete",
        "verb": "",
        "requestURI": "/",
        "userAgent": "",
        "user": {"username": "", "groups": [], "uid": "", "extra": {}},
        "impersonatedUser": {"username": "", "groups": [], "uid": "", "extra": {}},
        "sourceIPs": [],
        "sourceIP": "",
        "objectRef": dict.fromkeys(
            ("resource", "subresource", "namespace", "name", "apiGroup", "apiVersion", "uid",
             "resourceVersion"), ""
        ),
        "responseStatus": {"code": 0, "status": "", "reason": "", "message": ""},
        "annotations": {},
        "requestReceivedTimestamp": "",
        "stageTimestamp": "2026-11-23T15:00:00.000001Z",
    }  # fmt: skip


def test_bodies_are_there_only_where_the_log_has_them() -> None:
    """has(event.requestObject) tells."""
    raw = request("patch", requestObject=[{"op": "add"}])
    assert bound(raw, "event.requestObject", "event.responseObject") == {
        "event": {"requestObject": [{"op": "add"}]}
    }


def test_only_what_is_wanted_is_bound() -> None:
    """Of maps only the named fields; a path that is named whole has all below it."""
    raw = pod({"hostPID": True, "containers": [{"name": "c"}], "x": 1})
    assert bound(raw, "object.spec.hostPID", "event.user.username", "object.spec.missing") == {
        "object": {"spec": {"hostPID": True}},
        "event": {"user": {"username": "bob", "groups": ["system:authenticated"]}},
    }
    assert bound(raw, "object.spec", "object.spec.x")["object"] == {
        "spec": {"hostPID": True, "containers": [{"name": "c"}], "x": 1}
    }


def test_the_last_source_is_the_one_to_trust() -> None:
    """The others are what the client says of itself."""
    assert bound(line(sourceIPs=["1.1.1.1", "9.9.9.9"]), "event.sourceIP")["event"] == {
        "sourceIP": "9.9.9.9"
    }
    for odd in ([], [1], {"a": 1}, "1.1.1.1"):
        assert bound(line(sourceIPs=odd), "event.sourceIP")["event"]["sourceIP"] == ""


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (request("create", 201, requestObject=SENT, responseObject=STORED), STORED),
        (request("create", 201, requestObject=SENT), SENT),
        (request("create", 403, requestObject=SENT, responseObject=STATUS), SENT),
        (request("create", 201, requestObject=SENT, responseObject=STATUS), SENT),
        (request("create", 201), "unbound"),
        (request("create", 201, requestObject=[1]), "unbound"),
        (request("update", 200, requestObject=SENT, responseObject=STORED), STORED),
        (request("patch", 200, requestObject=SENT, responseObject=STORED), STORED),
        (request("patch", 200, requestObject=SENT), "unbound"),
        (request("patch", 403, requestObject=SENT, responseObject=STATUS), "unbound"),
        (request("delete", 200, responseObject=STORED), None),
        (request("get", 200, responseObject=STORED), None),
        (request("create", 101, objectRef=REF | {"subresource": "exec"}), None),
        (line(verb="post", requestObject=SENT), None),
    ],
)
def test_the_object_is_as_stored_else_as_sent(raw: bytes, found: Any) -> None:
    """Never the patch itself, never a Status; null where a request has none."""
    assert bound(raw, "object").get("object", "unbound") == found


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (request("delete", 200, responseObject=STORED), STORED),
        (request("delete", 200, responseObject=STATUS), "unbound"),
        (request("deletecollection", 200, responseObject=STORED), "unbound"),
        (request("create", 201, responseObject=STORED), None),
        (request("update", 200, responseObject=STORED), "unbound"),
        (request("get"), None),
    ],
)
def test_the_old_object_is_the_deleted_one(raw: bytes, found: Any) -> None:
    """No log holds what an update replaced."""
    assert bound(raw, "oldObject").get("oldObject", "unbound") == found


def test_a_field_that_is_null_is_unset() -> None:
    """As in Kubernetes' own CEL; in a patch as sent it means something, and stays."""
    spec = {"a": None, "b": [{"c": None, "d": 1}, None]}
    raw = pod(spec, user={})
    assert bound(raw, "object.spec")["object"]["spec"] == {"b": [{"d": 1}, None]}
    assert bound(raw, "event.requestObject.spec")["event"]["requestObject"]["spec"] == spec


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("pods", ["spec"]),
        ("deployments", ["spec", "template", "spec"]),
        ("cronjobs", ["spec", "jobTemplate", "spec", "template", "spec"]),
        ("podtemplates", ["template", "spec"]),
    ],
)
def test_the_pod_spec_is_found_where_the_kind_has_it(resource: str, path: list[str]) -> None:
    """With its containers of all three kinds; empty where there is none."""
    spec = {
        "hostPID": True,
        "containers": [{"name": "a"}, 7],
        "initContainers": [{"name": "i"}],
        "ephemeralContainers": "odd",
    }
    body: Any = spec
    for step in reversed(path):
        body = {step: body}
    raw = request("create", 201, objectRef={"resource": resource}, requestObject=body)
    found = bound(raw, "podSpec", "containers")
    assert found["podSpec"] == spec
    assert found["containers"] == [{"name": "i"}, {"name": "a"}]
    other = bound(
        request("create", objectRef={"resource": "roles"}, requestObject=body),
        "podSpec",
        "containers",
    )
    assert other == {"podSpec": {}, "containers": []}
    assert bound(request("create"), "podSpec", "containers") == {}


def test_the_request_is_as_admission_sees_it() -> None:
    """The user that was acted for, the operation, and the kind where a body says it."""
    raw = request(
        "create",
        201,
        requestObject=SENT,
        user={"username": "a"},
        impersonatedUser={"username": "b"},
    )
    found = bound(raw, "request")["request"]
    assert found["operation"] == "CREATE"
    assert found["kind"] == {"group": "", "version": "v1", "kind": "Pod"}
    assert found["userInfo"]["username"] == "b"
    assert "kind" not in bound(request("create"), "request")["request"]


@pytest.mark.parametrize(
    ("verb", "uri", "body", "dry"),
    [
        ("create", "/x?dryRun=All", None, True),
        ("create", "/x?a=1&dryRun=All", None, True),
        ("create", "/x?fieldManager=dryRun=All", None, False),
        ("create", "/x?fieldManager=dryRun%3DAll", None, False),
        ("create", "/x?dryRun=", None, False),
        ("create", "//[x?dryRun=All", None, False),
        ("create", "/x", {"dryRun": ["All"]}, False),
        ("delete", "/x?dryRun=All", None, False),
        ("delete", "/x?dryRun=All", {"kind": "DeleteOptions"}, False),
        ("delete", "/x", {"kind": "DeleteOptions", "dryRun": ["All"]}, True),
        ("delete", "/x", {"dryRun": "All"}, False),
    ],
)
def test_a_dry_run_is_one_only_if_nothing_was_stored(
    verb: str, uri: str, body: object, dry: bool
) -> None:
    """What merely looks like one must not go unseen; a delete's body overrides its query."""
    fields: dict[str, Any] = {} if body is None else {"requestObject": body}
    raw = request(verb, requestURI=uri, **fields)
    assert bound(raw, "request.dryRun")["request"]["dryRun"] == dry


def test_the_cluster_is_not_known() -> None:
    """What only the cluster could answer is left unbound."""
    assert bound(request("get"), "namespaceObject", "authorizer", "params") == {}


def test_nesting_without_end_is_unbound() -> None:
    """A body that can not be decoded is not known."""
    deep = b"[" * 100_000 + b"]" * 100_000
    raw = request("create", 201).replace(b'"verb"', b'"requestObject":1,"verb"')
    assert bound(raw, "object") == {}
    decoded = terms(raw)
    decoded.event.requestObject = msgspec.Raw(deep)
    assert decoded.bind(wanted([("object",)])) == {}
