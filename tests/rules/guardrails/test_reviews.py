"""What admission was asked, read off an event: the object as stored, and nothing guessed."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.review import Review
from shipper.rules.guardrails.reviews import accepted, review_of
from shipper.rules.terms import UNBOUND
from tests.rules.support import line, pod, terms

POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "namespace": "prod"}}
SCALE = {"kind": "Scale", "apiVersion": "autoscaling/v1", "spec": {"replicas": 3}}
STATUS = {"kind": "Status", "apiVersion": "v1", "status": "Success"}


def write(verb: str, resource: str = "pods", *, code: int = 200, **fields: Any) -> bytes:
    kind, _, subresource = resource.partition("/")
    group = "apps" if kind == "deployments" else ""
    ref = {
        "resource": kind, "subresource": subresource, "namespace": "prod", "name": "p",
        "apiGroup": group, "apiVersion": "v1",
    }  # fmt: skip
    least = {
        "verb": verb,
        "user": {"username": "bob", "groups": ["devs"]},
        "objectRef": ref,
        "responseStatus": {"code": code},
    }
    return line(**{**least, **fields})


def review(raw: bytes) -> Review:
    return review_of(terms(raw), lambda name: {"metadata": {"name": name}} if name else None)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (write("create", code=201), True),
        (write("get"), False),
        (write("create", code=403), False),
        (write("create", code=201, requestURI="/api/v1/pods?dryRun=All"), False),
        (write("create", code=201, stage="RequestReceived"), False),
        (write("create", "pods/exec", code=101, stage="ResponseStarted"), True),
        (write("create", "pods/exec", code=101), False),
        (write("get", "nodes/proxy", code=200, stage="ResponseStarted"), True),
        (line(verb="create", responseStatus={"code": 200}, requestURI="/healthz"), False),
    ],
)
def test_a_write_is_accepted_once(raw: bytes, expected: bool) -> None:
    """Its answer is 2xx (or a connection's 101), nothing was a dry run, and it counts once."""
    assert accepted(terms(raw)) is expected


def test_the_object_is_the_one_that_was_stored() -> None:
    """Not the one that was sent: a mutating webhook may have changed it."""
    sent = {**POD, "spec": {"hostNetwork": True}}
    made = review(write("create", code=201, requestObject=sent, responseObject=POD))
    assert (made.object, made.old_object, made.target.operation) == (POD, None, "CREATE")
    assert (made.target.kind, made.namespace, made.name) == ("Pod", "prod", "p")
    assert made.namespace_object == {"metadata": {"name": "prod"}}
    assert made.identity is not None
    assert (made.identity.username, made.identity.groups) == ("bob", ("devs",))


def test_a_patch_is_not_the_object() -> None:
    """Where the answer is not in the event, nothing is known; the old object never is."""
    patched = review(write("patch", requestObject={"metadata": {"labels": {"a": "b"}}}))
    assert (patched.object, patched.old_object) == (UNBOUND, UNBOUND)
    assert patched.target[:2] == ("UPDATE", "")
    assert patched.target.kind == "Pod"  # the table has it
    assert review(write("patch", responseObject=POD)).object == POD


def test_what_was_sent_is_not_what_was_stored() -> None:
    """At level Request the object as stored is not known."""
    assert review(write("update", requestObject=POD, level="Request")).object is UNBOUND


def test_an_apply_that_makes_the_object_is_a_create() -> None:
    """201: admission saw a CREATE, with no old object."""
    applied = review(write("patch", code=201, responseObject=POD))
    assert (applied.target.operation, applied.old_object) == ("CREATE", None)


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {}},
        {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": []},
        STATUS,
        "no object",
    ],
)
def test_an_answer_in_another_shape_is_no_object(answer: Any) -> None:
    """The garbage collector asks for metadata alone, kubectl for tables."""
    assert review(write("patch", responseObject=answer)).object is UNBOUND


@pytest.mark.parametrize("answer", [STATUS, POD])
def test_a_delete_has_an_old_object_where_the_answer_says_it(answer: dict[str, Any]) -> None:
    """Kubernetes answers with the object if it goes later, and with a Status if it is gone."""
    deleted = review(
        write("delete", requestObject={"kind": "DeleteOptions"}, responseObject=answer)
    )
    assert (deleted.object, deleted.target.kind) == (None, "Pod")
    assert deleted.old_object == (POD if answer is POD else UNBOUND)


def test_a_collection_is_not_one_object() -> None:
    """Admission was asked about each; which they were the review does not say."""
    pods = {"kind": "PodList", "apiVersion": "v1", "items": [POD]}
    deleted = review(write("deletecollection", responseObject=pods))
    assert (deleted.old_object, deleted.target.kind) == (UNBOUND, "Pod")


def test_subresources_carry_what_admission_saw() -> None:
    """An ephemeral container is a Pod, a scale is a Scale, an eviction what was sent."""
    debug = review(write("patch", "pods/ephemeralcontainers", responseObject=POD))
    assert (debug.object, debug.target.kind) == (POD, "Pod")
    scaled = review(write("patch", "deployments/scale", responseObject=SCALE))
    assert (scaled.object, scaled.target.kind) == (SCALE, "Scale")
    eviction = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "p"}}
    evicted = review(
        write("create", "pods/eviction", code=201, requestObject=eviction, responseObject=STATUS)
    )
    assert (evicted.object, evicted.target.kind) == (eviction, "Eviction")
    opened = review(write("create", "pods/exec", code=101, stage="ResponseStarted"))
    assert (opened.target.operation, opened.object, opened.old_object) == ("CONNECT", UNBOUND, None)


def test_admission_sees_the_impersonated_user() -> None:
    """And its extra values, where they are lists of texts."""
    acting = {"username": "carol", "groups": ["ops"], "uid": "7", "extra": {"a": ["b", 1], "c": 2}}
    asked = review(write("create", code=201, impersonatedUser=acting, responseObject=POD)).identity
    assert asked is not None
    assert (asked.username, asked.groups, asked.uid) == ("carol", ("ops",), "7")
    assert asked.extra == {"a": ["b"]}


def test_a_namespace_is_in_no_namespace() -> None:
    """Though the event names one."""
    stored = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "prod"}}
    made = review(write("update", "namespaces", responseObject=stored))
    assert made.namespace_object is None


def test_the_name_may_stand_in_the_object_alone() -> None:
    """generateName: the event does not know it yet."""
    assert review(pod({}, objectRef={"resource": "pods", "namespace": "prod"})).name == "p"
