"""The counters are found among everything else that an API server tells."""

from __future__ import annotations

import pytest

from shipper.audit.counters import Counters, read_counters
from shipper.errors import SourceError
from tests.audit.apiserver import ApiServer


def test_the_logs_counters_are_read() -> None:
    """Errors of other backends are not the log's."""
    server = ApiServer()
    assert read_counters([server.exposition()]) == Counters(1000, 3, 1.7e9)


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (b"apiserver_audit_event_total 1.234567e+06\n", 1_234_567),
        (b"apiserver_audit_event_total 7 1700000000000\n", 7),
        (b"apiserver_audit_event_total 7\r\n", 7),
    ],
)
def test_numbers_come_in_several_forms(text: bytes, events: int) -> None:
    """Exponents, timestamps; no error yet is no error."""
    found = read_counters([text, b"process_start_time_seconds 1\n"])
    assert found == Counters(events, 0, 1.0)


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_pieces_are_put_together(size: int) -> None:
    """Wherever the network cuts them, also without a newline at the end; a line without an end is
    not kept."""
    body = b"x" * 200_000 + b"\n" + ApiServer().exposition().rstrip()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    assert read_counters(pieces) == Counters(1000, 3, 1.7e9)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>apiserver_audit_event_total</html>\n",
        b"apiserver_audit_event_total NaN\nprocess_start_time_seconds 1\n",
        b"apiserver_audit_event_totally 7\nprocess_start_time_seconds 1\n",
        b"apiserver_audit_event_total 7\n",
        b"apiserver_audit_event_total -7\nprocess_start_time_seconds 1\n",
        b"apiserver_audit_event_total 1.2.3\nprocess_start_time_seconds 1\n",
        b"apiserver_audit_event_total 1e+999\nprocess_start_time_seconds 1\n",
        b"\xff\x00" * 1000,
    ],
)
def test_what_has_no_counters_is_refused(body: bytes) -> None:
    """Another program, or an API server without an audit log: nothing is guessed."""
    with pytest.raises(SourceError, match="there is no apiserver_audit_event_total"):
        read_counters([body])


@pytest.mark.parametrize("number", [b"1e+99", b"99999999999999999999"])
def test_numbers_that_no_counter_reaches_are_refused(number: bytes) -> None:
    """They would go into notices, metrics and JSON."""
    with pytest.raises(SourceError, match="no counts"):
        read_counters([b"apiserver_audit_event_total %s\nprocess_start_time_seconds 1\n" % number])
