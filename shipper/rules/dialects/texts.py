"""The variables `fields` and `body`: what Sigma and Falco call a field of an event, as texts.

`fields["ka.uri.param[command]"]`, `body["ka.req.pod.containers.image"]`, `body["sigma.hostPath"]`:
a list of texts each, empty if the event has none. `body` is unbound where the log has not got the
body that was sent. Pure; never raises on data.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Literal, NamedTuple

from shipper.rules.dialects.falco import fields as falco
from shipper.rules.dialects.sigma import fields as sigma
from shipper.rules.dialects.source import Source

ROOTS = frozenset(("fields", "body"))

_FALCO = re.compile(
    r"(?P<name>(?:ka|jevt|json|evt)\.[a-zA-Z0-9_.]+)(?:\[(?P<arg>.*)\])?", re.DOTALL
)


Of = Literal["", "request", "answer"]


class Text(NamedTuple):
    """How a field's texts are read, and which body they are read out of."""

    read: Callable[[Source], list[str]]
    of: Of = ""


@lru_cache(maxsize=4096)
def text(name: str) -> Text:
    """The field that is called `name`. Raises ValueError if there is none."""
    if name.startswith(sigma.PREFIX):
        return Text(partial(sigma.texts, name=name), "request" if sigma.is_of_body(name) else "")
    match = _FALCO.fullmatch(name)
    if match is None:
        raise ValueError(f"there is no field {name}")
    field = falco.checked(falco.Field(match["name"], match["arg"]))
    of: Of = "answer" if field.of_answer else "request" if field.of_body else ""
    return Text(partial(falco.texts, field=field), of)


def mistake(root: str, name: str) -> str | None:
    """What is wrong with `root["name"]`."""
    try:
        of_body = text(name).of != ""
    except ValueError as error:
        return str(error)
    right = "body" if of_body else "fields"
    return None if root == right else f'{name} is not in {root}: write {right}["{name}"]'
