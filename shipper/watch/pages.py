"""What a watch answers on a port of its own: its metrics, and whether it still makes its rounds."""

from __future__ import annotations

from collections.abc import Callable

from shipper.health.families import Exporter
from shipper.health.pages import Answer, Asked, text
from shipper.watch.metrics import families
from shipper.watch.round import Round

LATE_ROUNDS = 3
"""After so many rounds' time without one it counts as dead. A first round may take hours."""


class Pages:
    """For one event loop."""

    def __init__(
        self,
        last: Callable[[], tuple[Round, float] | None],
        *,
        every_seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        """`last` gives the newest round and when it was done (monotonic); None before the first."""
        self._last = last
        self._every_seconds = every_seconds
        self._monotonic = monotonic
        self._exporter = Exporter(process=True)

    async def answer(self, asked: Asked) -> Answer:
        """Metrics and probes; ready is who has done a round."""
        last = self._last()
        match asked.path:
            case "/livez":
                late = LATE_ROUNDS * self._every_seconds
                if last is not None and self._monotonic() - last[1] > late:
                    return text(503, f"no round was done for more than {late:.0f} s")
                return text(200, "ok")
            case "/readyz":
                return text(200, "ok") if last else text(503, "the first round is not done yet")
            case "/metrics":
                body, content_type = self._exporter.render(
                    families(last[0]) if last else (), asked.accept
                )
                return Answer(200, content_type, body)
        return text(404, "there are: /metrics /livez /readyz")
