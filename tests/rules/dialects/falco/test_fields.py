"""Falco's fields: what each reads out of an event, as the k8saudit plugin does."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.falco.fields import Field, FieldError, checked, texts
from tests.rules.support import line, terms

POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {
        "hostNetwork": True,
        "containers": [
            {
                "name": "a",
                "image": "docker.io/nginx:1@sha256:ab",
                "command": ["sh", "-c", "id"],
                "ports": [{"hostPort": 80, "containerPort": 8080}, {"containerPort": 9090}],
                "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}},
            },
            {"name": "b", "image": "busybox"},
        ],
        "initContainers": [{"name": "i", "image": "init"}],
        "volumes": [
            {"name": "v", "hostPath": {"path": "/etc"}},
            {"name": "w", "emptyDir": {}},
        ],
    },
}
EVENT = line(
    verb="create",
    requestURI="/api/v1/namespaces/x/pods/p/exec?command=sh&command=-c&tty=",
    user={"username": "bob", "groups": ["g1", "g2"]},
    objectRef={"resource": "pods", "namespace": "x", "name": "p", "apiVersion": "v1"},
    responseStatus={"code": 201},
    annotations={"authorization.k8s.io/decision": "allow"},
    sourceIPs=["10.0.0.1", "10.0.0.2"],
    requestObject=POD,
    responseObject={**POD, "metadata": {"name": "p-1"}},
)


NESTED: Any = []
for _ in range(900):
    NESTED = [NESTED]


def read(field: str, arg: str | None = None, event: bytes = EVENT) -> list[str]:
    return texts(terms(event), checked(Field(field, arg)))


@pytest.mark.parametrize(
    ("field", "arg", "found"),
    [
        ("ka.verb", None, ["create"]),
        ("ka.response.code", None, ["201"]),
        ("ka.auth.decision", None, ["allow"]),
        ("ka.auth.reason", None, []),
        ("ka.impuser.name", None, []),
        ("ka.user.groups", None, ["g1", "g2"]),
        ("ka.sourceips", None, ["10.0.0.1", "10.0.0.2"]),
        ("ka.sourceips", "1", ["10.0.0.2"]),
        ("ka.uri.param", "command", ["sh"]),
        ("ka.uri.param", "tty", [""]),
        ("ka.uri.param", "none", []),
        ("ka.resp.name", None, ["p-1"]),
        ("ka.target.pod.name", None, ["p-1"]),
        ("ka.req.pod.host_network", None, ["true"]),
        ("ka.req.pod.host_pid", None, []),
        ("ka.req.pod.containers.name", None, ["a", "b"]),
        ("ka.req.pod.containers.name", "1", ["b"]),
        ("ka.req.pod.containers.name", "7", []),
        ("ka.req.pod.containers.image.repository", None, ["docker.io/nginx", "busybox"]),
        ("ka.req.container.image", None, ["docker.io/nginx:1@sha256:ab"]),
        ("ka.req.container.image.repository", None, ["docker.io/nginx"]),
        ("ka.req.pod.containers.command", None, ["sh -c id"]),
        ("ka.req.pod.containers.host_port", None, ["80", "9090"]),
        ("ka.req.pod.containers.privileged", None, ["true"]),
        ("ka.req.container.privileged", None, ["true"]),
        ("ka.req.pod.containers.add_capabilities", None, ['["SYS_ADMIN"]']),
        ("ka.req.pod.containers.eff_run_as_user", None, ["0", "0"]),
        ("ka.req.pod.initContainers.image", None, ["init"]),
        ("ka.req.pod.ephemeralContainers.image", None, []),
        ("ka.req.pod.volumes.hostpath", None, ["/etc"]),
        ("ka.req.pod.volumes.volume_type", None, ["hostPath", "emptyDir"]),
        ("ka.req.volume.hostpath", "/etc", ["true"]),
        ("ka.req.volume.hostpath", "/e*", ["true"]),
        ("ka.req.volume.hostpath", "/var", ["false"]),
        ("jevt.value", "/stage", ["ResponseComplete"]),
        ("jevt.value", "/requestObject/spec/volumes/1/name", ["w"]),
        ("jevt.value", "/requestObject/spec/hostNetwork", ["true"]),
        ("jevt.value", "/annotations/authorization.k8s.io~1decision", ["allow"]),
        ("jevt.value", "/nothing/there", []),
    ],
)
def test_a_field_has_the_texts_that_the_plugin_extracts(
    field: str, arg: str | None, found: list[str]
) -> None:
    """Lists unfolded, numbers and flags as JSON writes them, nothing where there is nothing."""
    assert read(field, arg) == found


def test_fields_of_roles_bindings_and_configmaps() -> None:
    """Rules are joined; subjects are told apart by their kind."""
    body = {
        "rules": [
            {"verbs": ["get", "list"], "resources": ["pods/exec"]},
            {"verbs": ["*"], "nonResourceURLs": ["/metrics"]},
        ],
        "roleRef": {"name": "admin"},
        "subjects": [
            {"kind": "User", "name": "u"},
            {"kind": "Group", "name": "g"},
            {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
        ],
        "data": {"password": "x"},
    }
    event = line(verb="create", requestObject=body)
    assert read("ka.req.role.rules.verbs", event=event) == ["get", "list", "*"]
    assert read("ka.req.role.rules.resources", event=event) == ["pods/exec"]
    assert read("ka.req.role.rules.verbs", "1", event=event) == ["*"]
    assert read("ka.req.binding.role", event=event) == ["admin"]
    assert read("ka.req.binding.subjects.user_names", event=event) == ["u"]
    assert read("ka.req.binding.subjects.group_names", event=event) == ["g"]
    assert read("ka.req.binding.subjects.serviceaccount_names", event=event) == ["s"]
    assert read("ka.req.binding.subjects.serviceaccount_ns_names", event=event) == ["n:s"]
    assert read("ka.req.configmap.obj", event=event) == ['{"password":"x"}']


@pytest.mark.parametrize(
    "body", [None, [], "x", 1, {"spec": None}, {"spec": [1, {"a": None}]}, {"spec": NESTED}]
)
def test_a_body_of_any_shape_is_read_without_an_error(body: Any) -> None:
    """What somebody sends is not what a rule's author had in mind."""
    event = line(verb="create", requestObject=body, responseObject=body)
    for field in ("ka.req.pod.containers.image", "ka.req.pod.containers.host_port",
                  "ka.req.role.rules.verbs", "ka.req.binding.subjects.user_names",
                  "ka.req.pod.volumes.volume_type", "ka.req.pod.containers.command",
                  "ka.resp.name"):  # fmt: skip
        assert read(field, event=event) == []


@pytest.mark.parametrize(
    ("field", "arg"),
    [
        ("proc.name", None),
        ("ka.nope", None),
        ("ka.verb", "x"),
        ("ka.uri.param", None),
        ("ka.req.pod.containers.image", "x"),
    ],
)
def test_what_is_no_field_is_refused(field: str, arg: str | None) -> None:
    """Also an argument too many, one too few, and a wrong one."""
    with pytest.raises(FieldError):
        checked(Field(field, arg))
