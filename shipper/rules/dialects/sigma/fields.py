"""The names that Sigma rules have for parts of an audit event, and what each stands for.

Rules are written for many shapes of the same event: `objectRef.resource`, `ObjectRef_Resource`,
`kubernetes.audit.objectRef.resource`, plain `apiGroup`. Capitals and separators do not count. What
is no part of the envelope is looked for in the bodies, under the names it is given: `hostPath` at
any depth, `requestObject.spec.volumes.hostPath` where it says. Pure; never raises on data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, NamedTuple

from shipper.rules.cel.library.regex import compiled
from shipper.rules.dialects.cel_text import literal
from shipper.rules.dialects.source import Source
from shipper.rules.dialects.walk import MAX_TEXTS, MISSING, at, leaves, named

PREFIX = "sigma."

LINE = ""
"""The name of the whole line, in which keywords are looked for."""

_WRAPPERS = re.compile(
    r"^(?:(?:kubernetes|k8s)[._](?:audit[._])?|audit[._]|log[._]|raw[._])+", re.IGNORECASE
)
_BODIES = {"requestobject": ("requestObject",), "responseobject": ("responseObject",)}
_PLAIN = re.compile("[A-Za-z0-9_-]{1,100}")
_DECISION = "authorization.k8s.io/decision"
_BOTH = ("requestObject", "responseObject")


class Part(NamedTuple):
    """A part of the envelope. `cel` gives its text (or number), empty if there is none."""

    path: tuple[str, ...]
    cel: str = ""
    kind: Literal["lower", "text", "number", "list"] = "text"
    """`lower`: the API server writes it in lower case, always."""


def _part(path: str, kind: Literal["lower", "text", "number"] = "text") -> Part:
    return Part(tuple(path.split(".")), f"event.{path}", kind)


_PARTS: Mapping[str, Part] = {
    "verb": _part("verb", "lower"),
    "stage": _part("stage"),
    "level": _part("level"),
    "auditid": _part("auditID"),
    "requesturi": _part("requestURI"),
    "useragent": _part("userAgent"),
    "userusername": _part("user.username"),
    "useruid": _part("user.uid"),
    "usergroups": Part(("user", "groups"), kind="list"),
    "impersonateduserusername": _part("impersonatedUser.username"),
    "impersonatedusergroups": Part(("impersonatedUser", "groups"), kind="list"),
    "sourceips": Part(("sourceIPs",), kind="list"),
    "objectrefresource": _part("objectRef.resource", "lower"),
    "objectrefsubresource": _part("objectRef.subresource", "lower"),
    "objectrefnamespace": _part("objectRef.namespace", "lower"),
    "objectrefname": _part("objectRef.name"),
    "objectrefapigroup": _part("objectRef.apiGroup", "lower"),
    "objectrefapiversion": _part("objectRef.apiVersion", "lower"),
    "responsestatuscode": _part("responseStatus.code", "number"),
    "responsestatusstatus": _part("responseStatus.status"),
    "responsestatusreason": _part("responseStatus.reason"),
    "responsestatusmessage": _part("responseStatus.message"),
    "requestreceivedtimestamp": _part("requestReceivedTimestamp"),
    "stagetimestamp": _part("stageTimestamp"),
}
_ALIASES: Mapping[str, str] = {
    "uri": "requesturi",
    "user": "userusername",
    "username": "userusername",
    "usernames": "userusername",
    "username0": "userusername",
    "groups": "usergroups",
    "impersonateduser": "impersonateduserusername",
    "sourceip": "sourceips",
    "srcip": "sourceips",
    "clientip": "sourceips",
    "resource": "objectrefresource",
    "resourcetype": "objectrefresource",
    "subresource": "objectrefsubresource",
    "namespace": "objectrefnamespace",
    "resourcename": "objectrefname",
    "apigroup": "objectrefapigroup",
    "apiversion": "objectrefapiversion",
    "responsecode": "responsestatuscode",
    "statuscode": "responsestatuscode",
    "responsereason": "responsestatusreason",
}


def _annotation(name: str) -> Part:
    kind: Literal["lower", "text"] = "lower" if name == _DECISION else "text"
    return Part(("annotations", name), f'event.annotations[?{literal(name)}].orValue("")', kind)


@lru_cache(maxsize=4096)
def part_of(name: str) -> Part | None:
    """The part of the envelope that `name` stands for; None: it is none."""
    plain = _WRAPPERS.sub("", name)
    if plain.lower().startswith("annotations.") and len(plain) > len("annotations."):
        return _annotation(plain[len("annotations.") :])
    key = re.sub(r"[^a-z0-9]", "", plain.lower())
    return _PARTS.get(_ALIASES.get(key, key))


def is_of_body(name: str) -> bool:
    """Whether the texts of `sigma.` and a name are looked for in bodies."""
    field = name.removeprefix(PREFIX)
    return field != LINE and part_of(field) is None


def texts(source: Source, name: str) -> list[str]:
    """The texts of `name`, which begins with PREFIX; none if the event has no such field."""
    return list(islice(_texts(source, name.removeprefix(PREFIX)), MAX_TEXTS))


def _texts(source: Source, field: str) -> Iterator[str]:
    if field == LINE:
        yield source.line.decode(errors="replace")
        return
    part = part_of(field)
    if part is not None:
        found = at(source.plain, part.path)
        if found is not MISSING:
            yield from leaves(found)
        if part.path == ("responseStatus", "code"):
            yield from _decision(source)
        return
    bodies, steps = _where(field)
    for body in bodies:
        if not _is_in(source.raw_body(body), steps[0]):
            continue
        value = source.body(body)
        found_in = [value] if len(bodies) == 1 else named(value, steps[0].lower())
        for one in found_in:
            for inner in _below(one, steps if len(bodies) == 1 else steps[1:]):
                yield from leaves(inner)


def _decision(source: Source) -> Iterator[str]:
    """Some shapes tell the authorizer's word, ALLOW or FORBID, where the event has the code."""
    decision = at(source.plain, ("annotations", _DECISION))
    if isinstance(decision, str):
        yield decision


def _is_in(body: bytes, name: str) -> bool:
    """Whether a field of that name may be in the body: most need not be decoded to know better.

    The API server escapes no letter in JSON, so what is plain stands there as it is.
    """
    return not _PLAIN.fullmatch(name) or compiled(f'(?i)"{name}"').search(body) is not None


@lru_cache(maxsize=4096)
def _where(field: str) -> tuple[Sequence[str], tuple[str, ...]]:
    """The bodies to look in, and the names one below the other."""
    first, _, rest = _WRAPPERS.sub("", field).partition(".")
    body = _BODIES.get(first.lower().replace("_", ""))
    if body is not None and rest:
        return body, tuple(rest.split("."))
    return _BOTH, tuple(step for step in _WRAPPERS.sub("", field).split(".") if step) or (field,)


def _below(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    """What the names lead to, lists on the way unfolded; a name may itself have dots."""
    if isinstance(value, list) and steps:
        for one in value:
            if not isinstance(one, list):  # no Kubernetes object has lists of lists
                yield from _below(one, steps)
    elif not steps:
        yield value
    elif isinstance(value, dict):
        for count in range(1, len(steps) + 1):
            wanted = ".".join(steps[:count]).lower()
            for key, inner in value.items():
                if key.lower() == wanted:
                    yield from _below(inner, steps[count:])
