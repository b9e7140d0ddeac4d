"""What can happen to a call on its way to an S3 service. `proxy` makes it happen."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Request(NamedTuple):
    """What a plan sees of a call: `number` counts from 0; header names are in lower case."""

    method: str
    path: str
    number: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """One kind of accident."""


Plan = Callable[[Request], Fault]
"""The test's decision about each call. Calls come from several threads."""


@dataclass(frozen=True)
class Pass(Fault):
    """None: the call goes through."""


@dataclass(frozen=True)
class Delay(Fault):
    """It goes through, later."""

    seconds: float


@dataclass(frozen=True)
class ResetBefore(Fault):
    """The connection is reset, the call's body unread; the service never hears of it."""


@dataclass(frozen=True)
class ResetInside(Fault):
    """The service gets half the body, then both connections break."""


@dataclass(frozen=True)
class LoseAnswer(Fault):
    """The service does what is asked; the connection is reset before the answer."""


@dataclass(frozen=True)
class Answer(Fault):
    """This answer, without asking the service. `early`: before the body of the call is read."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    early: bool = False


@dataclass(frozen=True)
class AnswerAfter(Fault):
    """The service does what is asked, and the client is told this."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rewrite(Fault):
    """The service's answer with these headers in place of its own, e.g. another `Date`."""

    headers: Mapping[str, str]


@dataclass(frozen=True)
class Truncate(Fault):
    """The answer breaks off in the middle of its body, or of its head if it has no body.

    Python's http.client takes half a head for a whole one: boto3 then sees a 200 without ETag.
    """


@dataclass(frozen=True)
class CutOff(Fault):
    """The answer breaks off after so many bytes of head and body."""

    after_bytes: int


@dataclass(frozen=True)
class Trickle(Fault):
    """The answer comes in drops, its head too."""

    bytes_per_second: float


@dataclass(frozen=True)
class BlackHole(Fault):
    """The call is read and never answered; the service never hears of it."""


@dataclass(frozen=True)
class HalfClose(Fault):
    """The call is read; instead of an answer comes its end, and the connection stays half open."""


@dataclass(frozen=True)
class WrongBody(Fault):
    """Every byte of the answer's body is another; the length is right."""


def passes(request: Request) -> Fault:
    """The plan in which nothing happens."""
    return Pass()


def once(fault: Fault, method: str = "") -> Plan:
    """The plan in which the first call (with that method) meets the fault, and no other does."""
    left = [fault]

    def plan(request: Request) -> Fault:
        return left.pop() if left and method in ("", request.method) else Pass()

    return plan


def always(fault: Fault, method: str = "") -> Plan:
    """The plan in which every call (with that method) meets the fault."""

    def plan(request: Request) -> Fault:
        return fault if method in ("", request.method) else Pass()

    return plan


def error(status: int, code: str, message: str = "") -> Answer:
    """A refusal in S3's XML."""
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code>'
        f"<Message>{message}</Message><RequestId>1</RequestId></Error>"
    )
    return Answer(status, text.encode(), {"Content-Type": "application/xml"})


def slow_down() -> Answer:
    """The service asks for fewer calls."""
    return error(503, "SlowDown", "Please reduce your request rate.")


def internal_error() -> Answer:
    """The service fails."""
    return error(500, "InternalError", "We encountered an internal error. Please try again.")


def expired_token() -> Answer:
    """The session's token is too old."""
    return error(400, "ExpiredToken", "The provided token has expired.")


def invalid_access_key() -> Answer:
    """The key was deleted."""
    return error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist.")


def access_denied() -> Answer:
    """A permission is missing."""
    return error(403, "AccessDenied", "Access Denied")


def no_such_bucket() -> Answer:
    """The bucket is gone."""
    return error(404, "NoSuchBucket", "The specified bucket does not exist")


def time_skewed() -> Answer:
    """The clocks are too far apart."""
    return error(403, "RequestTimeTooSkewed", "The difference between the times is too large.")


def html(status: int = 502) -> Answer:
    """A page from something in between: a load balancer (502), a captive portal (200)."""
    page = b"<!DOCTYPE html><html><head><title>Hello</title></head><body><p>Hello</body></html>"
    return Answer(status, page, {"Content-Type": "text/html"})


QUICK: Sequence[Fault] = (
    Delay(0.02),
    ResetBefore(),
    ResetInside(),
    LoseAnswer(),
    AnswerAfter(503),
    Truncate(),
    HalfClose(),
    slow_down(),
    internal_error(),
    html(502),
    html(200),
)
"""Faults that take no time and pass by themselves."""

REFUSALS: Sequence[Fault] = (
    expired_token(),
    invalid_access_key(),
    access_denied(),
    no_such_bucket(),
    time_skewed(),
)
"""Answers that ask for a person."""


class RandomFaults:
    """A plan that fails that share of calls, each in one of the ways of `kinds`."""

    def __init__(self, seed: int, share: float = 0.3, kinds: Sequence[Fault] = QUICK) -> None:
        self._random = random.Random(seed)
        self._share = share
        self._kinds = kinds
        self._choosing = threading.Lock()

    def __call__(self, request: Request) -> Fault:
        with self._choosing:
            fails = self._random.random() < self._share
            return self._random.choice(self._kinds) if fails else Pass()
