"""What each path answers. Pure but for the look at the daemon; knows nothing of sockets.

Whoever reaches the port may read: nothing here changes anything, and no secret is shown. A browser
that was lured to a foreign name for this address (DNS rebinding) is refused what a page could read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from shipper.health import html
from shipper.health.families import Exporter
from shipper.health.liveness import STILL_SECONDS, Pulse
from shipper.health.metrics import families
from shipper.health.observe import Observer
from shipper.health.readiness import unready

TEXT = "text/plain; charset=utf-8"

_ADDRESS = re.compile(r"[0-9.]+|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9-]+")
"""A host that is an address, or a name of one part: nobody can make such a name point here."""


class Asked(NamedTuple):
    """A request, as far as it matters. `host` and `accept` are headers, empty if missing."""

    path: str
    host: str = ""
    accept: str = ""


class Answer(NamedTuple):
    """`policy` is the page's Content-Security-Policy."""

    status: int
    content_type: str
    body: bytes
    policy: str = "default-src 'none'"


class Pages:
    """For one event loop."""

    def __init__(self, observer: Observer, *, monotonic: Callable[[], float]) -> None:
        self._observer = observer
        self._monotonic = monotonic
        self._pulse = Pulse(monotonic())
        self._exporter = Exporter(process=True)

    async def answer(self, asked: Asked) -> Answer:
        """What the daemon has to say."""
        match asked.path:
            case "/livez":
                return self._livez()
            case "/readyz":
                why = unready(await self._observer.look())
                return text(503, why) if why else text(200, "ok")
            case "/metrics":
                status = await self._observer.look()
                body, content_type = self._exporter.render(families(status), asked.accept)
                return Answer(200, content_type, body)
            case "/" | "/status.json" if not _is_address(asked.host):
                return text(421, "ask by the host's address, not by a name: see docs/health.md")
            case "/status.json":
                status = await self._observer.look()
                return Answer(200, "application/json", msgspec.json.encode(status))
            case "/":
                body = html.render(await self._observer.look()).encode()
                return Answer(200, "text/html; charset=utf-8", body, html.POLICY)
        return text(404, "there are: / /status.json /metrics /livez /readyz")

    def _livez(self) -> Answer:
        still = self._pulse.still_seconds(self._observer.progress, self._monotonic())
        if still <= STILL_SECONDS:
            return text(200, "ok")
        return text(503, f"the collect loop has not turned for {still:.0f} s")


def text(status: int, says: str) -> Answer:
    """One line for a person."""
    return Answer(status, TEXT, f"{says}\n".encode())


def _is_address(host: str) -> bool:
    return _ADDRESS.fullmatch(re.sub(r":[0-9]*$", "", host)) is not None
