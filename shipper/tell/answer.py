"""What became of one try to tell a receiver, and whose move it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from shipper.text import harmless

MOST_WAIT_SECONDS = 300.0
"""The longest that a receiver may ask to be left alone (`Retry-After`)."""

_SAYS = 300
_MALFORMED = {400, 405, 411, 413, 414, 415, 422, 431}
_REFUSED = {401, 402, 403, 404, 407, 410, 421, 451}

Verdict = Literal["taken", "later", "refused", "never"]


class Outcome(NamedTuple):
    """taken     the receiver has it
    later     it may take it at another time
    refused   it will not until a person has done something (a token, an address, a certificate)
    never     not this message, however often it is sent

    `says` is for a person and holds no secret; `wait_seconds` is what the receiver asks for.
    """

    verdict: Verdict
    says: str = ""
    wait_seconds: float = 0.0

    def without(self, secrets: Iterable[str]) -> Outcome:
        """The same with `***` for every secret that a server may have sent back."""
        says = self.says
        for secret in secrets:
            for line in secret.split("\n"):
                says = says.replace(line, "***")
        return self._replace(says=harmless(says, _SAYS))


def judge(status: int, body: str, retry_after: str) -> Outcome:
    """What an HTTP answer means (RFC 9110); `body` is the start of its text."""
    if 200 <= status < 300:
        return Outcome("taken")
    says = f"HTTP {status} {body}".strip()
    if 300 <= status < 400:
        return Outcome("refused", f"HTTP {status}: redirects are not followed")
    if status in _REFUSED:
        return Outcome("refused", says)
    if status in _MALFORMED:
        return Outcome("never", says)
    wait = float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else 0.0
    return Outcome("later", says, min(wait, MOST_WAIT_SECONDS))
