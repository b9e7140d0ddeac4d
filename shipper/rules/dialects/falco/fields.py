"""The fields that Falco's k8saudit and json plugins have, and what each reads out of an event.

As the plugins extract them (falcosecurity/plugins, k8saudit/pkg/k8saudit/extract.go and
json/pkg/json/json.go): every value is text, a field that is not available has no texts at all, and
a body is what was sent, for a patch the patch. One difference: `ka.sourceips` are the event's.
Pure; never raises on data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from shipper.rules.dialects.falco import bodies
from shipper.rules.dialects.falco.bodies import Argued, Reader, Texts, list_of
from shipper.rules.dialects.source import Source
from shipper.rules.dialects.walk import MISSING, at, steps_of, text_of


class FieldError(ValueError):
    """There is no such field, or it is written wrong."""


class Field(NamedTuple):
    """A field as a condition names it."""

    name: str
    arg: str | None = None

    def __str__(self) -> str:
        return self.name if self.arg is None else f"{self.name}[{self.arg}]"

    @property
    def is_list(self) -> bool:
        """Whether it may have several texts: only `in`, `intersects` and `exists` go with it."""
        return self.name in _LISTS

    @property
    def alias(self) -> Field:
        """The field with the same value that the envelope has, or itself."""
        if self.name in ("jevt.value", "json.value") and self.arg is not None:
            return Field(_POINTERS[steps]) if (steps := steps_of(self.arg)) in _POINTERS else self
        return Field("ka.target.name") if self.name == "ka.req.configmap.name" else self

    @property
    def of_body(self) -> bool:
        """Whether it is read out of the request's or the answer's body."""
        if self.name in ("jevt.value", "json.value"):
            return steps_of(self.arg or "")[:1] in (("requestObject",), ("responseObject",))
        return self.name.startswith(("ka.req.", "ka.resp.", "ka.target.pod.")) and (
            self.name != "ka.req.binding.subject.has_name"
        )

    @property
    def of_answer(self) -> bool:
        """Whether that is the answer's."""
        if self.name in ("jevt.value", "json.value"):
            return steps_of(self.arg or "")[:1] == ("responseObject",)
        return self.name in ("ka.resp.name", "ka.target.pod.name")


def checked(field: Field) -> Field:
    """The field itself. Raises FieldError with what is wrong with it."""
    if field.name not in _READERS:
        raise FieldError(f"there is no field {field.name} for audit events")
    if field.name in _KEYED and not field.arg:
        raise FieldError(f"{field.name} needs an argument: {field.name}[…]")
    if field.name in _INDEXED and field.arg is not None and not re.fullmatch(r"\d{1,9}", field.arg):
        raise FieldError(f"{field.name} takes a number in brackets")
    if field.name not in _KEYED | _INDEXED and field.arg is not None:
        raise FieldError(f"{field.name} takes no argument")
    return field


def texts(source: Source, field: Field) -> Texts:
    """The field's texts in this event; none if it is not available."""
    return _READERS[field.name](source, Argued(field.name, field.arg))


# ---- out of the envelope

_ENVELOPE: Mapping[str, tuple[str, ...]] = {
    "ka.auditid": ("auditID",),
    "ka.stage": ("stage",),
    "ka.auth.decision": ("annotations", "authorization.k8s.io/decision"),
    "ka.auth.reason": ("annotations", "authorization.k8s.io/reason"),
    "ka.auth.openshift.decision": ("annotations", "authentication.openshift.io/decision"),
    "ka.auth.openshift.username": ("annotations", "authentication.openshift.io/username"),
    "ka.validations.admission.policy.failure": (
        "annotations", "validation.policy.admission.k8s.io/validation_failure",
    ),
    "ka.security.pod.violations": ("annotations", "pod-security.kubernetes.io/audit-violations"),
    "ka.cluster.name": ("annotations", "cluster_name"),
    "ka.user.name": ("user", "username"),
    "ka.impuser.name": ("impersonatedUser", "username"),
    "ka.verb": ("verb",),
    "ka.uri": ("requestURI",),
    "ka.target.name": ("objectRef", "name"),
    "ka.target.namespace": ("objectRef", "namespace"),
    "ka.target.resource": ("objectRef", "resource"),
    "ka.target.subresource": ("objectRef", "subresource"),
    "ka.response.code": ("responseStatus", "code"),
    "ka.response.reason": ("responseStatus", "reason"),
    "ka.useragent": ("userAgent",),
}  # fmt: skip
_POINTERS = {path: name for name, path in _ENVELOPE.items() if path[0] != "annotations"}


def in_cel(field: Field) -> str | None:
    """The expression that gives the field's text, empty if it has none; None: there is none."""
    path = _ENVELOPE.get(field.name)
    if path is None or field.name == "ka.response.code":
        return None
    if path[0] == "annotations":
        return f'event.annotations[?"{path[1]}"].orValue("")'
    return ".".join(("event", *path))


def presence_in_cel(field: Field) -> str:
    """The condition that the event has the field, if `in_cel` gives one. An annotation may be
    empty; of all else the API server leaves out what is.
    """
    path = _ENVELOPE[field.name]
    if path[0] == "annotations":
        return f'"{path[1]}" in event.annotations'
    return f'{in_cel(field)} != ""'


def _plain(source: Source, field: Argued) -> Texts:
    found = at(source.plain, _ENVELOPE[field.name])
    return [] if found is MISSING else [text_of(found)]


def _pointed(source: Source, field: Argued) -> Texts:
    first, *rest = steps_of(field.arg or "") or ("",)
    if first in ("requestObject", "responseObject"):
        found = at(source.body(first), rest)
    else:
        found = at(source.plain, (first, *rest) if first else ())
    return [] if found is MISSING else [text_of(found)]


def _whole(source: Source, _field: Argued) -> Texts:
    return [text_of(source.plain)]


def _raw_time(source: Source, _field: Argued) -> Texts:
    return [str(int(source.time.timestamp() * 1_000_000) * 1000)]


def _time(source: Source, _field: Argued) -> Texts:
    return [source.time.isoformat()]


def _groups(source: Source, _field: Argued) -> Texts:
    return list_of(at(source.plain, ("user", "groups")))


def _source_ips(source: Source, field: Argued) -> Texts:
    found = list_of(at(source.plain, ("sourceIPs",)))
    return found if field.arg is None else found[int(field.arg) :][:1]


def _query(source: Source, field: Argued) -> Texts:
    uri = at(source.plain, ("requestURI",))
    try:
        query = parse_qs(urlsplit(str(uri)).query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return []
    return query.get(field.arg or "", [])[:1]


def _true(_source: Source, _field: Argued) -> Texts:
    return ["true"]


_KEYED_READERS: Mapping[str, Reader] = {
    "ka.uri.param": _query,
    "ka.req.binding.subject.has_name": _true,
    "jevt.value": _pointed,
    "json.value": _pointed,
    **bodies.KEYED,
}
_READERS: Mapping[str, Reader] = {
    **dict.fromkeys(_ENVELOPE, _plain),
    **bodies.SINGLE,
    **bodies.INDEXED,
    **bodies.LISTS,
    **_KEYED_READERS,
    "ka.user.groups": _groups,
    "ka.sourceips": _source_ips,
    "ka.req.configmap.name": lambda source, _: _plain(source, Argued("ka.target.name")),
    "jevt.obj": _whole,
    "json.obj": _whole,
    **dict.fromkeys(("jevt.rawtime", "json.rawtime", "evt.rawtime"), _raw_time),
    **dict.fromkeys(("evt.time", "evt.time.iso8601", "evt.datetime"), _time),
}
_LISTS = frozenset((*bodies.INDEXED, *bodies.LISTS, "ka.user.groups", "ka.sourceips"))
_INDEXED = frozenset((*bodies.INDEXED, "ka.sourceips"))
_KEYED = frozenset(_KEYED_READERS)
