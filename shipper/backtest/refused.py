"""Requests that admission has refused already, by whom: read from the API server's own words.

Looks at the answer's message alone, which whoever refuses may word as he likes: a name in it is
what he calls himself.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from shipper.rules.event import Event
from shipper.text import harmless

MAX_NAME = 200
"""Characters of a name in the result."""

_SPEAKS = 8192
"""Characters of a message that are looked at."""

_POLICY = re.compile(r"ValidatingAdmissionPolicy '([^']+)' with binding '[^']*' denied request")
_WEBHOOK = re.compile(r'admission webhook "([^"]+)" denied the request(?:: \[([^\]\s]+)\])?')
_POD_SECURITY = re.compile(r'violates PodSecurity "([^"]+)"')
_QUOTA = re.compile(r"exceeded quota: ([^,\s]+)")

_WORDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_POLICY, lambda found: f"ValidatingAdmissionPolicy {found[1]}"),
    (_WEBHOOK, lambda found: f"webhook {found[1]}" + (f", {found[2]}" if found[2] else "")),
    (_POD_SECURITY, lambda found: f"PodSecurity {found[1]}"),
    (_QUOTA, lambda found: f"quota {found[1]}"),
)
"""The API server's words (apiserver/pkg/admission/plugin: policy/validating/dispatcher.go,
webhook/errors/statuserror.go; pod-security-admission; resourcequota), and Gatekeeper's constraint
in brackets."""


def refused_by(event: Event) -> str:
    """Who in admission has refused the request; "" if nobody has."""
    status = event.responseStatus
    if status is None or status.code < 400 or event.stage != "ResponseComplete":
        return ""
    message = status.message[:_SPEAKS]
    for words, named in _WORDS:
        found = words.search(message)
        if found:
            return harmless(named(found), MAX_NAME)
    return ""
