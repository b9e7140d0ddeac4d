"""What the k8saudit plugin reads out of the bodies of a request and its answer.

As it does (falcosecurity/plugins, k8saudit/pkg/k8saudit/extract.go), oddities included: a
container's effective user is looked for beside its security context, so it is 0. Pure; never raises
on data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from shipper.rules.dialects.source import Source
from shipper.rules.dialects.walk import MISSING, at, text_of

Texts = list[str]


class Argued(NamedTuple):
    """A field's name, and what stands in brackets behind it."""

    name: str
    arg: str | None = None


Reader = Callable[[Source, Argued], Texts]


def list_of(value: Any) -> Texts:
    return [text_of(item) for item in value] if isinstance(value, list) else []


def _sent(*path: str) -> Reader:
    def read(source: Source, _field: Argued) -> Texts:
        found = at(source.body("requestObject"), path)
        return [] if found is MISSING else [text_of(found)]

    return read


def _sent_list(*path: str) -> Reader:
    return lambda source, _field: list_of(at(source.body("requestObject"), path))


def _answered_name(source: Source, field: Argued) -> Texts:
    if field.name == "ka.target.pod.name":
        ref = at(source.plain, ("objectRef",))
        if at(ref, ("resource",)) != "pods" or at(ref, ("subresource",)) not in (MISSING, ""):
            return []
    found = at(source.body("responseObject"), ("metadata", "name"))
    return [] if found is MISSING else [text_of(found)]


def _unfolded(value: Any, index: int | None, keys: Sequence[str]) -> list[Any]:
    """The values behind `keys`, lists on the way unfolded, or their element `index` alone.

    A list right within a list, which no Kubernetes object has, is passed by.
    """
    for number, key in enumerate(keys):
        if isinstance(value, list):
            if index is None:
                inner = [one for one in value if not isinstance(one, list)]
                return [v for one in inner for v in _unfolded(one, None, keys[number:])]
            value = value[index] if index < len(value) else MISSING
        value = value.get(key, MISSING) if isinstance(value, dict) else MISSING
    return [value]


def _index(field: Argued) -> int | None:
    return None if field.arg is None else int(field.arg)


def _there(values: Iterable[Any]) -> Texts:
    return [text_of(value) for value in values if value is not MISSING]


def _each(*path: str) -> Reader:
    """The texts at `path` in the request's object, of each element of the lists on the way."""
    return lambda source, field: _there(
        _unfolded(source.body("requestObject"), _index(field), path)
    )


def _rules(key: str) -> Reader:
    def read(source: Source, field: Argued) -> Texts:
        found = _unfolded(source.body("requestObject"), _index(field), ("rules", key))
        return [text for value in found for text in list_of(value)]

    return read


def _joined(key: str, kind: str) -> Reader:
    def read(source: Source, field: Argued) -> Texts:
        found = _unfolded(source.body("requestObject"), _index(field), ("spec", kind, key))
        return [
            " ".join(map(text_of, value))
            for value in found
            if isinstance(value, list) and all(isinstance(one, str) for one in value)
        ]

    return read


def _repository(kind: str, source: Source, field: Argued) -> Texts:
    images = _each("spec", kind, "image")(source, field)
    return [image.split(":")[0].split("@")[0] for image in images]


def _host_ports(kind: str, source: Source, field: Argued) -> Texts:
    found = _unfolded(source.body("requestObject"), _index(field), ("spec", kind, "ports"))
    ports = [port for value in found if isinstance(value, list) for port in value]
    each = [
        next((p for key in ("hostPort", "containerPort") if (p := at(port, (key,))) is not MISSING),
             MISSING)
        for port in ports
    ]  # fmt: skip
    return _there(each)


def _effective(key: str, kind: str) -> Reader:
    def read(source: Source, field: Argued) -> Texts:
        body = source.body("requestObject")
        of_pod = at(body, ("spec", key))
        default = "0" if of_pod is MISSING else text_of(of_pod)
        if at(body, ("spec", kind)) is MISSING:
            return []
        found = _unfolded(body, _index(field), ("spec", kind, key))
        return [default if value is MISSING else text_of(value) for value in found]

    return read


def _first(read: Reader) -> Reader:
    return lambda source, field: read(source, Argued(field.name, "0"))[:1]


def _any_privileged(source: Source, _field: Argued) -> Texts:
    path = ("spec", "containers", "securityContext", "privileged")
    found = _unfolded(source.body("requestObject"), None, path)
    return [] if found == [MISSING] else ["true" if True in found else "false"]


def _any_host_path(source: Source, field: Argued) -> Texts:
    wanted = field.arg or ""
    paths = _each("spec", "volumes", "hostPath", "path")(source, Argued(field.name))
    if at(source.body("requestObject"), ("spec", "volumes")) is MISSING:
        return []
    prefix = wanted[:-1] if wanted.endswith("*") else None
    hit = any(path == wanted or (prefix is not None and path.startswith(prefix)) for path in paths)
    return ["true" if hit else "false"]


def _volume_types(source: Source, field: Argued) -> Texts:
    volumes = at(source.body("requestObject"), ("spec", "volumes"))
    many = volumes if isinstance(volumes, list) else []
    chosen = many if field.arg is None else many[int(field.arg) :][:1]
    return [key for one in chosen if isinstance(one, dict) for key in one if key != "name"]


def _subjects(kind: str, source: Source, _field: Argued) -> Texts:
    subjects = at(source.body("requestObject"), ("subjects",))
    return [
        text_of(one["name"])
        for one in (subjects if isinstance(subjects, list) else ())
        if isinstance(one, dict) and one.get("kind") == kind and "name" in one
    ]


def _namespaced_accounts(source: Source, _field: Argued) -> Texts:
    subjects = at(source.body("requestObject"), ("subjects",))
    return [
        f"{text_of(one['namespace'])}:{text_of(one['name'])}"
        for one in (subjects if isinstance(subjects, list) else ())
        if isinstance(one, dict) and one.get("kind") == "ServiceAccount"
        if "name" in one and "namespace" in one
    ]


def _of_containers(kind: str) -> dict[str, Reader]:
    def each(*path: str) -> Reader:
        return _each("spec", kind, *path)

    readers: dict[str, Reader] = {
        "name": each("name"),
        "image": each("image"),
        "image.repository": partial(_repository, kind),
        "command": _joined("command", kind),
        "args": _joined("args", kind),
        "host_port": partial(_host_ports, kind),
        "privileged": each("securityContext", "privileged"),
        "allow_privilege_escalation": each("securityContext", "allowPrivilegeEscalation"),
        "read_only_fs": each("securityContext", "readOnlyRootFilesystem"),
        "run_as_user": each("securityContext", "runAsUser"),
        "eff_run_as_user": _effective("runAsUser", kind),
        "run_as_group": each("securityContext", "runAsGroup"),
        "eff_run_as_group": _effective("runAsGroup", kind),
        "proc_mount": each("securityContext", "procMount"),
        "add_capabilities": each("securityContext", "capabilities", "add"),
    }
    return {f"ka.req.pod.{kind}.{name}": reader for name, reader in readers.items()}


INDEXED: Mapping[str, Reader] = {
    **_of_containers("containers"),
    **_of_containers("initContainers"),
    **_of_containers("ephemeralContainers"),
    **{f"ka.req.role.rules.{key}": _rules(key)
       for key in ("apiGroups", "nonResourceURLs", "verbs", "resources")},
    "ka.req.service.ports": _each("spec", "ports"),
    "ka.req.pod.volumes.hostpath": _each("spec", "volumes", "hostPath", "path"),
    "ka.req.pod.volumes.flexvolume_driver": _each("spec", "volumes", "flexVolume", "driver"),
    "ka.req.pod.volumes.volume_type": _volume_types,
}  # fmt: skip
LISTS: Mapping[str, Reader] = {
    "ka.req.binding.subjects": _sent_list("subjects"),
    "ka.req.binding.subjects.user_names": partial(_subjects, "User"),
    "ka.req.binding.subjects.serviceaccount_names": partial(_subjects, "ServiceAccount"),
    "ka.req.binding.subjects.serviceaccount_ns_names": _namespaced_accounts,
    "ka.req.binding.subjects.group_names": partial(_subjects, "Group"),
    "ka.req.role.rules": _sent_list("rules"),
    "ka.req.pod.supplemental_groups": _sent_list("spec", "securityContext", "supplementalGroups"),
}
KEYED: Mapping[str, Reader] = {"ka.req.volume.hostpath": _any_host_path}
SINGLE: Mapping[str, Reader] = {
    "ka.target.pod.name": _answered_name,
    "ka.resp.name": _answered_name,
    "ka.req.binding.role": _sent("roleRef", "name"),
    "ka.req.configmap.obj": _sent("data"),
    "ka.req.container.image": _first(_each("spec", "containers", "image")),
    "ka.req.container.image.repository": _first(partial(_repository, "containers")),
    "ka.req.container.privileged": _any_privileged,
    "ka.req.container.host_network": _sent("spec", "hostNetwork"),
    "ka.req.pod.host_ipc": _sent("spec", "hostIPC"),
    "ka.req.pod.host_network": _sent("spec", "hostNetwork"),
    "ka.req.pod.host_pid": _sent("spec", "hostPID"),
    "ka.req.pod.run_as_user": _sent("spec", "securityContext", "runAsUser"),
    "ka.req.pod.run_as_group": _sent("spec", "securityContext", "runAsGroup"),
    "ka.req.pod.fs_group": _sent("spec", "securityContext", "fsGroup"),
    "ka.req.service.type": _sent("spec", "type"),
}
