"""The part of the configuration that says who is told of findings: one section a receiver.

Text alone; opens nothing. Secrets are named by their files, never written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from shipper.errors import ConfigError
from shipper.model import Severity
from shipper.page import Duration, Section, duration
from shipper.reading import Limit

_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_URL = r"^https?://[^/?#@\s]+(/[^#\s]*)?$"
_FILE = "^(/.*)?$"
_Name = Annotated[
    str, Meta(pattern=_NAME, description="a name: at most 63 small letters, digits and -")
]
_Url = Annotated[
    str, Meta(pattern=_URL, description="http[s]://host[:port]/path without a password")
]
_File = Annotated[str, Meta(pattern=_FILE, description="an absolute path")]
_Needed = Annotated[str, Meta(pattern="^/", description="an absolute path")]
_Count = Annotated[int, Meta(ge=0, description="a number, 0 or more")]


class _Receiver(Section, frozen=True, kw_only=True, tag_field="type"):
    """Who is told of findings; the keys that every type of receiver has."""

    name: _Name
    """What log lines, `status` and `alerts test` call it; also the name of its cursor."""
    min_severity: Severity = "medium"
    """What is less severe is not told; it is sealed all the same."""
    rules: tuple[str, ...] = ()
    """Names of rules, with `*` and `?`, `!` in front to leave out; empty: all."""
    namespaces: tuple[str, ...] = ()
    """The same for namespaces; an event that has none is in the namespace with an empty name."""
    timeout: Duration = duration("10s")
    """How long a try may take."""
    give_up_after: Duration = duration("1d")
    """How old an alert is when tries end and it becomes a dead letter: a day, so that a night and
    a morning's work on the receiver lose nothing."""
    ca_bundle: _File = ""
    """PEM file with the certificate authorities to trust, where the system's are not enough."""


class Webhook(_Receiver, frozen=True, kw_only=True, tag="webhook"):
    """Any HTTP service: CloudEvents 1.0 in JSON, signed as Standard Webhooks say."""

    url: Annotated[str, Meta(pattern=f"{_URL}|^$", description="http[s]://host[:port]/path")] = ""
    """Where to post; or else `url_file`."""
    url_file: _File = ""
    """A file with the URL, where that is a secret itself."""
    token_file: _File = ""
    """A file with a bearer token."""
    hmac_key_file: _File = ""
    """A file with the key to sign with, `whsec_` and base64; one a line, each signs."""
    group_by: Literal["none", "rule", "all"] = "none"
    """Which alerts of one window make one message. A machine reads: one each."""
    group_window: Duration = duration("0s")
    """How long to wait for more; a critical alert is never waited with."""
    max_per_minute: _Count = 0
    """Messages a minute, and as many more with something critical in them; 0: all."""


class Slack(_Receiver, frozen=True, kw_only=True, tag="slack"):
    """A channel, by an incoming webhook."""

    url_file: _Needed
    """A file with the webhook's URL, which is a secret."""
    group_by: Literal["none", "rule", "all"] = "rule"
    """As for `webhook`; people read: one message a rule."""
    group_window: Duration = duration("2s")
    """As for `webhook`."""
    max_per_minute: _Count = 30
    """As for `webhook`; Slack takes one a second, people fewer."""


class Alertmanager(_Receiver, frozen=True, kw_only=True, tag="alertmanager"):
    """Prometheus' Alertmanager, API v2. Name each member of a cluster as a receiver of its own."""

    url: _Url
    """Its address, without `/api/v2/alerts`."""
    token_file: _File = ""
    """A file with a bearer token."""
    group_by: Literal["none", "rule", "all"] = "all"
    """As for `webhook`; Alertmanager groups by itself, so all go in one call."""
    group_window: Duration = duration("0s")
    """As for `webhook`."""
    resolve_after: Duration = duration("900s")
    """How long an alert is active: an event is over at once, a person needs time to see it."""
    resend_every: Duration = duration("60s")
    """How often active alerts are sent again, as Alertmanager asks of its clients."""
    max_per_minute: _Count = 0
    """As for `webhook`."""


class PagerDuty(_Receiver, frozen=True, kw_only=True, tag="pagerduty"):
    """PagerDuty, Events API v2."""

    routing_key_file: _Needed
    """A file with the integration's key."""
    url: _Url = "https://events.pagerduty.com/v2/enqueue"
    """Where to post; `https://events.eu.pagerduty.com/v2/enqueue` in the EU."""
    group_by: Literal["none", "rule", "all"] = "rule"
    """As for `webhook`; one page a rule."""
    group_window: Duration = duration("10s")
    """As for `webhook`."""
    max_per_minute: _Count = 30
    """As for `webhook`."""


class Falcosidekick(_Receiver, frozen=True, kw_only=True, tag="falcosidekick"):
    """Falcosidekick, and all that it forwards to; one message an alert."""

    url: _Url
    """Its address, as Falco's `http_output.url`."""
    token_file: _File = ""
    """A file with a bearer token, for a proxy in front of it."""
    max_per_minute: _Count = 0
    """As for `webhook`."""


Receiver = Webhook | Slack | Alertmanager | PagerDuty | Falcosidekick


LIMITS = {
    "alerts[].timeout": Limit(0.1, 300, "100ms and 300s"),
    "alerts[].give_up_after": Limit(60, 30 * 86400, "60s and 30d"),
    "alerts[].group_window": Limit(0, 600, "0s and 600s"),
    "alerts[].resolve_after": Limit(60, 7 * 86400, "60s and 7d"),
    "alerts[].resend_every": Limit(10, 3600, "10s and 3600s"),
}


def mistakes(receivers: tuple[Receiver, ...]) -> Iterator[ConfigError]:
    """What is wrong where each key by itself is right."""
    names = set()
    for n, receiver in enumerate(receivers):
        if receiver.name in names:
            says = f"alerts[{n}].name: {receiver.name!r} stands twice"
            yield ConfigError(says, remedy="give each its own name")
        names.add(receiver.name)
        if isinstance(receiver, Webhook) and bool(receiver.url) == bool(receiver.url_file):
            says = f"alerts[{n}]: url or url_file is needed, and not both"
            yield ConfigError(says, remedy="give one of them")
