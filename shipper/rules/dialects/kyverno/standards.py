"""The Pod Security Standards, baseline and restricted: what a pod must not have, field by field.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards and
k8s.io/pod-security-admission/policy, with the fields that Kyverno names (kyverno/
pod-security-admission). Says what violates; what is excluded is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shipper.rules.dialects.kyverno.pods import under
from shipper.rules.dialects.policy import Path

Version = tuple[int, int]
LATEST: Version = (1 << 30, 0)

_ANNOTATIONS = ("metadata", "annotations")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_BASELINE_CAPABILITIES = frozenset(
    (
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
        "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    )
)  # fmt: skip
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t")
_VOLUMES = frozenset(
    (
        "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image",
        "persistentVolumeClaim", "projected", "secret",
    )
)  # fmt: skip
_SYSCTLS: Sequence[tuple[Version, str]] = (
    ((1, 0), "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies"
     " net.ipv4.ping_group_range net.ipv4.ip_unprivileged_port_start"),
    ((1, 27), "net.ipv4.ip_local_reserved_ports"),
    ((1, 29), "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl"
     " net.ipv4.tcp_keepalive_probes"),
    ((1, 32), "net.ipv4.tcp_rmem net.ipv4.tcp_wmem"),
)  # fmt: skip


class Violation(NamedTuple):
    """A field that is not as it must be; `values`: what is wrong in it, none for a missing one."""

    path: Path
    values: tuple[str, ...] = ()


class Pod(NamedTuple):
    """A pod, or a controller's template of one."""

    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def security(self) -> Mapping[str, Any]:
        """The pod's own security context."""
        return _map(self.spec.get("securityContext"))

    def containers(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Every container with its path, in the order in which they are checked."""
        for group in ("initContainers", "containers", "ephemeralContainers"):
            for at, container in enumerate(_list(self.spec.get(group))):
                if isinstance(container, Mapping):
                    yield ("spec", group, at), container

    def contexts(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """The security context of the pod, then those of the containers that have one."""
        yield ("spec", "securityContext"), self.security
        for path, container in self.containers():
            yield (*path, "securityContext"), _map(container.get("securityContext"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The annotations."""
        return _map(self.metadata.get("annotations"))

    @property
    def is_windows(self) -> bool:
        """Whether it says that it runs on Windows."""
        return bool(under(self.spec, ("os", "name")) == "windows")


Violations = Iterator[Violation]


class Check(NamedTuple):
    """`control`: its name in the standards, as exclusions have it; "" where none can name it."""

    name: str
    control: str
    restricted: bool
    find: Callable[[Pod, Version], Violations]


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _privileged(pod: Pod, _version: Version) -> Violations:
    for path, container in pod.containers():
        if under(container, ("securityContext", "privileged")) is True:
            yield Violation((*path, "securityContext", "privileged"), ("true",))


def _host_namespaces(pod: Pod, _version: Version) -> Violations:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(field) is True:
            yield Violation(("spec", field), ("true",))


def _host_path_volumes(pod: Pod, _version: Version) -> Violations:
    for at, volume in enumerate(_list(pod.spec.get("volumes"))):
        host_path = _map(volume).get("hostPath")
        if host_path is not None:
            path = str(_map(host_path).get("path", ""))
            yield Violation(("spec", "volumes", at, "hostPath"), (path,) if path else ())


def _host_ports(pod: Pod, _version: Version) -> Violations:
    for path, container in pod.containers():
        for at, port in enumerate(_list(container.get("ports"))):
            host_port = _map(port).get("hostPort")
            if host_port:
                yield Violation((*path, "ports", at, "hostPort"), (str(host_port),))


def _host_probes(pod: Pod, version: Version) -> Violations:
    if version < (1, 34):
        return
    probes = [("livenessProbe",), ("readinessProbe",), ("startupProbe",)]
    handlers = (*probes, ("lifecycle", "postStart"), ("lifecycle", "preStop"))
    for path, container in pod.containers():
        for handler in handlers:
            for action in ("httpGet", "tcpSocket"):
                if under(container, (*handler, action, "host")):
                    yield Violation((*path, *handler, action, "host"))


def _proc_mount(pod: Pod, _version: Version) -> Violations:
    for path, container in pod.containers():
        mount = under(container, ("securityContext", "procMount"))
        if mount is not None and mount != "Default":
            yield Violation((*path, "securityContext", "procMount"), (str(mount),))


def _added(pod: Pod, allowed: Callable[[str], bool]) -> Violations:
    for path, container in pod.containers():
        added = _list(under(container, ("securityContext", "capabilities", "add")))
        wrong = sorted({str(one) for one in added if not allowed(str(one))})
        if wrong:
            yield Violation((*path, "securityContext", "capabilities", "add"), tuple(wrong))


def _capabilities_baseline(pod: Pod, _version: Version) -> Violations:
    return _added(pod, _BASELINE_CAPABILITIES.__contains__)


def _capabilities_restricted(pod: Pod, version: Version) -> Violations:
    if version >= (1, 25) and pod.is_windows:
        return
    for path, container in pod.containers():
        dropped = _list(under(container, ("securityContext", "capabilities", "drop")))
        if "ALL" not in dropped:
            found = tuple(sorted(set(map(str, dropped))))
            yield Violation((*path, "securityContext", "capabilities", "drop"), found)
    yield from _added(pod, "NET_BIND_SERVICE".__eq__)


def _host_process(pod: Pod, _version: Version) -> Violations:
    for path, context in pod.contexts():
        if under(context, ("windowsOptions", "hostProcess")) is True:
            yield Violation((*path, "windowsOptions", "hostProcess"), ("true",))


def _selinux(pod: Pod, version: Version) -> Violations:
    types = (*_SELINUX_TYPES, "container_engine_t") if version >= (1, 31) else _SELINUX_TYPES
    for path, context in pod.contexts():
        options = _map(context.get("seLinuxOptions"))
        for field in ("type", "user", "role"):
            value = str(options.get(field) or "")
            if value and (field != "type" or value not in types):
                yield Violation((*path, "seLinuxOptions", field), (value,))


def _apparmor(pod: Pod, _version: Version) -> Violations:
    for path, context in pod.contexts():
        profile = context.get("appArmorProfile")
        kind = str(_map(profile).get("type", ""))
        if profile is not None and kind not in ("RuntimeDefault", "Localhost"):
            yield Violation((*path, "appArmorProfile", "type"), (kind,) if kind else ())
    for key, value in pod.annotations.items():
        fine = value in ("", "runtime/default") or str(value).startswith("localhost/")
        if key.startswith(_APPARMOR) and not fine:
            yield Violation((*_ANNOTATIONS, key), (str(value),))


def _seccomp_baseline(pod: Pod, version: Version) -> Violations:
    if version < (1, 19):
        names = [str(container.get("name", "")) for _, container in pod.containers()]
        for key in (_SECCOMP_POD, *(f"{_SECCOMP_CONTAINER}{name}" for name in names)):
            value = str(pod.annotations.get(key, "runtime/default"))
            if value not in ("runtime/default", "docker/default") and not value.startswith(
                "localhost/"
            ):
                yield Violation((*_ANNOTATIONS, key), (value,))
        return
    yield from _bad_seccomp(pod)


def _bad_seccomp(pod: Pod) -> Violations:
    for path, context in pod.contexts():
        profile = context.get("seccompProfile")
        if profile is not None and not _is_seccomp(profile):
            kind = str(_map(profile).get("type", ""))
            yield Violation((*path, "seccompProfile", "type"), (kind,) if kind else ())


def _is_seccomp(profile: Any) -> bool:
    return _map(profile).get("type") in ("RuntimeDefault", "Localhost")


def _seccomp_restricted(pod: Pod, version: Version) -> Violations:
    if version >= (1, 25) and pod.is_windows:
        return
    wrong = list(_bad_seccomp(pod))
    yield from wrong
    if wrong or _is_seccomp(pod.security.get("seccompProfile")):
        return
    for path, container in pod.containers():
        if under(container, ("securityContext", "seccompProfile")) is None:
            yield Violation((*path, "securityContext", "seccompProfile", "type"))


def _sysctls(pod: Pod, version: Version) -> Violations:
    allowed = {name for since, names in _SYSCTLS if version >= since for name in names.split()}
    for at, sysctl in enumerate(_list(pod.security.get("sysctls"))):
        name = str(_map(sysctl).get("name", ""))
        if name not in allowed:
            yield Violation(("spec", "securityContext", "sysctls", at, "name"), (name,))


def _restricted_volumes(pod: Pod, _version: Version) -> Violations:
    for at, volume in enumerate(_list(pod.spec.get("volumes"))):
        sources = {key for key, value in _map(volume).items() if value is not None} - {"name"}
        if not sources & _VOLUMES:
            yield Violation(("spec", "volumes", at, *(sorted(sources) or ["unknown"])[:1]))


def _escalation(pod: Pod, version: Version) -> Violations:
    if version >= (1, 25) and pod.is_windows:
        return
    for path, container in pod.containers():
        context = container.get("securityContext")
        allowed = _map(context).get("allowPrivilegeEscalation")
        if allowed is not False:
            values = () if context is None else ("nil",) if allowed is None else ("true",)
            yield Violation((*path, "securityContext", "allowPrivilegeEscalation"), values)


def _run_as_non_root(pod: Pod, _version: Version) -> Violations:
    for path, context in pod.contexts():
        if context.get("runAsNonRoot") is False:
            yield Violation((*path, "runAsNonRoot"), ("false",))
    if pod.security.get("runAsNonRoot") is True:
        return
    for path, container in pod.containers():
        if under(container, ("securityContext", "runAsNonRoot")) is None:
            yield Violation((*path, "securityContext", "runAsNonRoot"))


def _run_as_user(pod: Pod, _version: Version) -> Violations:
    for path, context in pod.contexts():
        user = context.get("runAsUser")
        if user == 0 and not isinstance(user, bool):
            yield Violation((*path, "runAsUser"), ("0",))


CHECKS: Sequence[Check] = (
    Check("appArmorProfile", "AppArmor", False, _apparmor),
    Check("capabilities_baseline", "Capabilities", False, _capabilities_baseline),
    Check("hostNamespaces", "Host Namespaces", False, _host_namespaces),
    Check("hostPathVolumes", "HostPath Volumes", False, _host_path_volumes),
    Check("hostPorts", "Host Ports", False, _host_ports),
    Check("hostProbesAndHostLifecycle", "", False, _host_probes),
    Check("privileged", "Privileged Containers", False, _privileged),
    Check("procMount", "/proc Mount Type", False, _proc_mount),
    Check("seLinuxOptions", "SELinux", False, _selinux),
    Check("seccompProfile_baseline", "Seccomp", False, _seccomp_baseline),
    Check("sysctls", "Sysctls", False, _sysctls),
    Check("windowsHostProcess", "HostProcess", False, _host_process),
    Check("allowPrivilegeEscalation", "Privilege Escalation", True, _escalation),
    Check("capabilities_restricted", "Capabilities", True, _capabilities_restricted),
    Check("restrictedVolumes", "Volume Types", True, _restricted_volumes),
    Check("runAsNonRoot", "Running as Non-root", True, _run_as_non_root),
    Check("runAsUser", "Running as Non-root user", True, _run_as_user),
    Check("seccompProfile_restricted", "Seccomp", True, _seccomp_restricted),
)

CONTROLS = frozenset(check.control for check in CHECKS if check.control)


def violations(pod: Pod, *, restricted: bool, version: Version) -> dict[str, list[Violation]]:
    """By name of the check: what violates it. Restricted has the baseline's checks too."""
    found = {
        check.name: list(check.find(pod, version))
        for check in CHECKS
        if restricted or not check.restricted
    }
    return {name: wrong for name, wrong in found.items() if wrong}
