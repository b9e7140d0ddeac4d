"""Kyverno's functions of time, as far as they need no clock.

Source: kyverno pkg/engine/jmespath/time.go. Layouts are Go's (`2006-01-02`), of which the parts
that dates in manifests have are known; another layout is undecided, never guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from shipper.rules.dialects.kyverno.errors import EvaluationError, UndecidedError
from shipper.rules.dialects.kyverno.scalars import duration, duration_text, integer

RFC3339 = "2006-01-02T15:04:05Z07:00"
_MAX_CHARS = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANO = 10**9
_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII
)
_PARTS = {
    "2006": "%Y", "January": "%B", "Monday": "%A", "MST": "%Z", "Jan": "%b", "Mon": "%a",
    "Z07:00": "%z", "-0700": "%z", "-07:00": "%z", "01": "%m", "02": "%d", "15": "%H",
    "03": "%I", "04": "%M", "05": "%S", "06": "%y", "PM": "%p",
}  # fmt: skip
_LAYOUT = re.compile("|".join(sorted(map(re.escape, _PARTS), key=len, reverse=True)))


def clock() -> str:
    """Nobody says what time it is."""
    raise UndecidedError("the current time is not known here")


def moment(text: str, layout: str = RFC3339) -> datetime:
    """The time in `text`. Raises EvaluationError, UndecidedError (the layout)."""
    if len(text) > _MAX_CHARS or len(layout) > _MAX_CHARS:
        raise EvaluationError("not a time")
    try:
        if layout == RFC3339:
            return _rfc3339(text)
        found = datetime.strptime(text, _format(layout))
    except ValueError:
        raise EvaluationError("not a time of this layout") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _rfc3339(text: str) -> datetime:
    form = _RFC3339.fullmatch(text)
    if form is None:
        raise ValueError
    micros = (form[2] or "")[:7]
    return datetime.fromisoformat(f"{form[1]}{micros.ljust(7, '0') if micros else ''}{form[3]}")


def _format(layout: str) -> str:
    rest = _LAYOUT.sub("", layout)
    if any(char.isalnum() and char != "T" for char in rest) or "%" in layout:
        raise UndecidedError(f"the time layout {layout!r} is not known here")
    return _LAYOUT.sub(lambda part: _PARTS[part[0]], layout)


def written(when: datetime) -> str:
    """As RFC 3339, in its own zone, without fractions."""
    text = when.replace(microsecond=0).isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def nanos_between(first: datetime, second: datetime) -> int:
    """From the first to the second, in nanoseconds."""
    return (second - first) // timedelta(microseconds=1) * 1000


def since(layout: str, first: str, second: str) -> str:
    """From the first time to the second, or to now."""
    start = moment(first, layout or RFC3339)
    return duration_text(nanos_between(start, moment(second or clock(), layout or RFC3339)))


def plus(when: str, span: str) -> str:
    """The time so much later."""
    try:
        return written(moment(when) + timedelta(microseconds=_span(span) // 1000))
    except OverflowError:
        raise EvaluationError("not a time") from None


def parse(layout: str, text: str) -> str:
    """A time of another layout; a number as layout: seconds since 1970."""
    if integer(layout) is None:
        return written(moment(text, layout))
    seconds = integer(text)
    if seconds is None or abs(seconds) > 10**11:
        raise EvaluationError("not a time")
    return written(_EPOCH + timedelta(seconds=seconds))


def utc(text: str) -> str:
    """The same moment in UTC."""
    return written(moment(text).astimezone(UTC))


def to_cron(text: str) -> str:
    """Minute, hour, day, month and weekday."""
    when = moment(text)
    return f"{when.minute} {when.hour} {when.day} {when.month} {when.isoweekday() % 7}"


def truncated(text: str, span: str) -> str:
    """Down to a multiple of the duration since the year 1, as Go's Truncate."""
    when, step = moment(text), _span(span)
    if step <= 0:
        return written(when)
    passed = nanos_between(datetime(1, 1, 1, tzinfo=UTC), when)
    return written(when - timedelta(microseconds=passed % step // 1000))


def _span(text: str) -> int:
    span = duration(text)
    if span is None or abs(span) > 10**21:
        raise EvaluationError("not a duration")
    return span
