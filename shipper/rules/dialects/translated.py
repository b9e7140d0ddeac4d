"""Makes AuditRules for the languages that are translated into them.

Names and texts are brought into the form that a rule file has; nothing is decided here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from shipper.model import Severity
from shipper.rules.dialects.walk import text_of
from shipper.rules.rule import (
    API_VERSION,
    AuditRule,
    RuleMatch,
    RuleMetadata,
    RuleSpec,
    Stage,
    Threshold,
)

ALL_STAGES: tuple[Stage, ...] = (
    "RequestReceived", "ResponseStarted", "ResponseComplete", "Panic",
)  # fmt: skip

MAX_MESSAGE = 4000
"""Characters of a message template, as in a rule file."""

_MAX_NAME, _MAX_LINE, _MAX_TEXT = 63, 200, 10_000
_TECHNIQUE = re.compile(r"(?:attack\.)?(t[0-9]{4}(?:\.[0-9]{3})?)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Names:
    """Gives each rule a name of its own: a DNS label made of what it was called."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._taken: set[str] = set()

    def of(self, called: str) -> str:
        """The name. The same one is never given twice; what tells two apart is a hash."""
        slug = re.sub(r"[^a-z0-9]+", "-", called.lower()).strip("-")
        name = f"{self._prefix}-{slug}".rstrip("-")
        short, before = name[: _MAX_NAME - 9].rstrip("-"), 0
        while name in self._taken or len(name) > _MAX_NAME or not slug:
            mark = hashlib.sha256(f"{called}{'#' * before}".encode()).hexdigest()[:8]
            name, slug, before = f"{short}-{mark}", slug or mark, before + 1
        self._taken.add(name)
        return name


def audit_rule(
    *,
    name: str,
    title: str,
    severity: Severity,
    when: str,
    description: str = "",
    attack: Iterable[str] = (),
    false_positives: Iterable[str] = (),
    message: str | None = None,
    match: RuleMatch | None = None,
    threshold: Threshold | None = None,
) -> AuditRule:
    """A rule as if it stood in a rule file, its texts cut to what one may have there."""
    spec = RuleSpec(
        title=line_of(title),
        severity=severity,
        description=description[:_MAX_TEXT],
        attack=tuple(dict.fromkeys(attack)),
        false_positives=tuple(line_of(text) for text in false_positives if text.strip()),
        match=match or RuleMatch(),
        when=when,
        message=message,
        threshold=threshold,
    )
    return AuditRule(
        api_version=API_VERSION, kind="AuditRule", metadata=RuleMetadata(name=name), spec=spec
    )


def line_of(text: str) -> str:
    """`text` on one line, at most as long as a title."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= _MAX_LINE else line[: _MAX_LINE - 1] + "…"


def techniques(tags: Any) -> list[str]:
    """The ATT&CK techniques among `tags`: attack.t1609, T1078.004."""
    found = (_TECHNIQUE.fullmatch(text_of(tag)) for tag in tags or ())
    return [match[1].upper() for match in found if match]
