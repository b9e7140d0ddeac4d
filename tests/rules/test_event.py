"""Events as the rules see them: one decode, and nothing that bytes can break."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.audit.event import scan, scan_events
from shipper.envelope import decode_lines, decode_record
from shipper.rules.event import Event, OddEvent, User, decode_events, recover, user_of
from tests.audit.support import unzstd
from tests.conftest import DATA
from tests.rules.support import line, pod

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = [
    "level", "verb", "requestURI", "user", "impersonatedUser", "sourceIPs", "userAgent",
    "objectRef", "responseStatus", "requestObject", "responseObject", "requestReceivedTimestamp",
    "annotations",
]  # fmt: skip


def test_one_decode_serves_the_record_too() -> None:
    """What the record scans is the same, whoever decoded it."""
    lines = unzstd(DATA / "torn" / "enospc-joined-lines.log.zst").splitlines()
    assert scan_events(decode_events(lines)) == scan(lines)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.binary(max_size=50))
def test_every_audit_event_is_one_here_too(fields: dict[str, object], junk: bytes) -> None:
    """Whatever the types of its other fields, and nothing else is."""
    lines = [line(**fields), junk, line()]
    events = decode_events(lines)
    assert [event is None for event in events] == [
        event is None for event in decode_lines(lines, decode_record)
    ]


def test_a_field_of_a_wrong_type_counts_as_left_out() -> None:
    """The others stand, also those of the same struct; the event is odd."""
    (event,) = decode_events(
        [
            line(
                verb=7,
                user={"username": "bob", "groups": "no list", "uid": None},
                objectRef=["pods"],
                responseStatus={"code": "200", "reason": "r"},
                userAgent="kubectl",
            )
        ]
    )
    assert isinstance(event, OddEvent)
    assert (event.verb, event.objectRef, event.userAgent) == ("", None, "kubectl")
    assert event.user == User(username="bob")
    assert event.responseStatus is not None
    assert (event.responseStatus.code, event.responseStatus.reason) == (0, "r")


def test_an_impersonated_user_is_read_as_far_as_it_goes() -> None:
    """Left out, of a wrong type, or partly right."""
    raw = msgspec.Raw(b'{"username":"x","groups":7}')
    assert user_of(raw) == User(username="x")
    assert user_of(msgspec.Raw(b"[]")) == user_of(msgspec.Raw(b"")) == User()


@pytest.mark.parametrize(
    ("torn", "ids"),
    [
        (b"%(cut)s%(b)s", ["b"]),
        (b"\0\0\0%(b)s", ["b"]),
        (b"%(a)s%(b)s", ["a", "b"]),
        (b"%(cut)s%(cut)s%(b)s", ["b"]),
        (b"%(cut)s%(a)s%(cut)s", ["a"]),
        (b"%(a)s,", []),
        (b"%(cut)s", []),
        (b"", []),
        (b"{}", []),
        (b"x" * 1000, []),
    ],
)
def test_whole_events_are_recovered_from_a_joined_line(torn: bytes, ids: list[str]) -> None:
    """An API server that restarts appends to the line that it left torn."""
    a, b = line(auditID="a", verb="get"), line(auditID="b", verb="list")
    found = recover(torn % {b"cut": a[: len(a) // 2], b"a": a, b"b": b})
    assert [event.auditID for event in found] == ids


def test_an_event_within_an_event_is_not_taken_for_one() -> None:
    """A body may hold what looks like the start of a line."""
    nested = msgspec.json.decode(line(auditID="inner"))
    whole = pod({"nested": nested}, auditID="outer")
    assert [event.auditID for event in recover(b"cut" + whole)] == ["outer"]


def test_recorded_joined_lines_give_their_event() -> None:
    """Recordings of an API server that was killed, and of one whose disk was full."""
    for name in ("sigkill-joined-lines.log.zst", "enospc-joined-lines.log.zst"):
        lines = unzstd(DATA / "torn" / name).splitlines()
        torn = [
            raw for raw, event in zip(lines, decode_events(lines), strict=True) if event is None
        ]
        assert torn
        assert all(len(recover(raw)) == 1 for raw in torn)


@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from([line(), line()[:90], b"{", b"\0"])).map(b"".join)
)
def test_recovering_survives_any_bytes(data: bytes) -> None:
    """Whatever stands in a line, the answer is events."""
    assert all(isinstance(event, Event) for event in recover(data))
