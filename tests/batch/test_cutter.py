"""Where batches end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipper.batch import cutter

LINES = st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"") + b"\n"), max_size=40)


@given(lines=LINES, room=st.integers(-5, 200), room_lines=st.integers(0, 20), empty=st.booleans())
def test_a_cut_is_the_longest_run_of_whole_lines_that_fits(
    lines: list[bytes], room: int, room_lines: int, *, empty: bool
) -> None:
    """No line is split, neither limit is passed, and no more lines would have fitted."""
    data = b"".join(lines)
    taken = cutter.split(data, room_bytes=room, room_lines=room_lines, empty=empty)
    fitting, size = 0, 0
    for line in lines[:room_lines]:
        if size + len(line) > room and not (empty and fitting == 0):
            break
        fitting, size = fitting + 1, size + len(line)
    assert taken == size


@given(piece=st.binary(min_size=1, max_size=50).map(lambda b: b.replace(b"\n", b"x")))
def test_a_piece_of_a_line_is_never_cut(piece: bytes) -> None:
    """A torn line longer than the room makes a batch of its own."""
    assert cutter.split(piece, room_bytes=10, room_lines=9, empty=True) == len(piece)
    short = len(piece) <= 10
    expected = len(piece) if short else 0
    assert cutter.split(piece, room_bytes=10, room_lines=9, empty=False) == expected


def test_a_batch_is_due_at_its_age() -> None:
    """Exactly `max_age` after it was opened, not before."""
    second = 10**9
    assert cutter.due(now_ns=11 * second, opened_ns=second, max_age_seconds=10)
    assert not cutter.due(now_ns=11 * second - 1, opened_ns=second, max_age_seconds=10)
