"""The Pod Security Standards' restricted level, and why our pods leave it where they do.

The controls of `baseline` and `restricted` that a pod spec can break, a row each:
https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Spec = dict[str, Any]

_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
}  # fmt: skip
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def _effective(pod: Spec, container: Spec, key: str, default: object = None) -> Any:
    """The container's own setting, else the pod's."""
    own = container.get("securityContext", {})
    return own[key] if key in own else pod.get("securityContext", {}).get(key, default)


def _capabilities(container: Spec, what: str) -> set[str]:
    return set(container.get("securityContext", {}).get("capabilities", {}).get(what, []))


PER_POD: dict[str, Callable[[Spec], bool]] = {
    "host namespaces": lambda pod: (
        not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))
    ),
    "volume types": lambda pod: all(
        set(volume) - {"name"} <= _VOLUMES for volume in pod.get("volumes", [])
    ),
    "sysctls": lambda pod: not pod.get("securityContext", {}).get("sysctls"),
}

PER_CONTAINER: dict[str, Callable[[Spec, Spec], bool]] = {
    "privileged": lambda _, one: not one.get("securityContext", {}).get("privileged"),
    "allowPrivilegeEscalation": lambda _, one: (
        one.get("securityContext", {}).get("allowPrivilegeEscalation") is False
    ),
    "drops all capabilities": lambda _, one: "ALL" in _capabilities(one, "drop"),
    "adds no capability": lambda _, one: _capabilities(one, "add") <= {"NET_BIND_SERVICE"},
    "runAsNonRoot": lambda pod, one: _effective(pod, one, "runAsNonRoot") is True,
    "runAsUser": lambda pod, one: _effective(pod, one, "runAsUser") != 0,
    "seccomp": lambda pod, one: (
        _effective(pod, one, "seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost")
    ),
    "SELinux": lambda pod, one: (
        _effective(pod, one, "seLinuxOptions", {}).get("type", "") in _SELINUX_TYPES
    ),
    "AppArmor": lambda pod, one: (
        _effective(pod, one, "appArmorProfile", {"type": "RuntimeDefault"})["type"] != "Unconfined"
    ),
    "proc mount": lambda _, one: (
        one.get("securityContext", {}).get("procMount", "Default") == "Default"
    ),
    "host ports": lambda _, one: not any("hostPort" in port for port in one.get("ports", [])),
}


def broken(pod: Spec) -> Iterator[tuple[str, str]]:
    """Whose control is broken, and which: ("pod" or a container's name, the row)."""
    for control, holds in PER_POD.items():
        if not holds(pod):
            yield "pod", control
    for one in [*pod.get("initContainers", []), *pod["containers"]]:
        for control, keeps in PER_CONTAINER.items():
            if not keeps(pod, one):
                yield one["name"], control


ALLOWED = {
    (
        "pod",
        "volume types",
    ): "the audit log and the spool lie on the node: hostPath, which needs the"
    " namespace to be at the privileged level",
    ("prepare", "runAsNonRoot"): "gives files of root to the daemon's user and group",
    ("prepare", "runAsUser"): "the same: only their owner may",
    ("prepare", "adds no capability"): "CHOWN, and no other, to give them",
}
"""What the default deployment breaks, with the reason."""
