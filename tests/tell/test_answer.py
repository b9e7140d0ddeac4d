"""What an answer means, and that no secret comes through it."""

from __future__ import annotations

import pytest

from shipper.tell.answer import MOST_WAIT_SECONDS, Outcome, judge


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "taken"),
        (202, "taken"),
        (204, "taken"),
        (301, "refused"),
        (307, "refused"),
        (400, "never"),
        (401, "refused"),
        (403, "refused"),
        (404, "refused"),
        (408, "later"),
        (410, "refused"),
        (413, "never"),
        (422, "never"),
        (429, "later"),
        (500, "later"),
        (503, "later"),
    ],
)
def test_whose_move_it_is(status: int, verdict: str) -> None:
    """The server's, a person's, or nobody's."""
    assert judge(status, "", "").verdict == verdict


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("7", 7), ("", 0), ("soon", 0), ("-1", 0), ("999999999", MOST_WAIT_SECONDS), ("²", 0)],
)
def test_a_receiver_may_ask_for_time(asked: str, waited: float) -> None:
    """`Retry-After` in seconds, within reason."""
    assert judge(429, "", asked).wait_seconds == waited


def test_no_secret_comes_back() -> None:
    """A server that sends back what it was sent does not get it into the log."""
    outcome = judge(401, "bad token s3cret\nfor hook/T0/B0\x1b[2J" + "x" * 999, "")
    says = outcome.without(["s3cret", "hook/T0/B0"]).says
    assert says.startswith("HTTP 401 bad token ***\\u000afor ***\\u001b[2Jxxx")
    assert len(says) <= 300


def test_a_key_of_several_lines_is_several_secrets() -> None:
    """Each line alone is kept back."""
    assert Outcome("never", "no key2").without(["key1\nkey2"]).says == "no ***"
