"""Where batches end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipper.batch import cutter

LINES = st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"") + b"\n"), max_size=40)


@given(lines=LINES, room=st.integers(-5, 200), empty=st.booleans())
def test_a_cut_is_the_longest_run_of_whole_lines_that_fits(
    lines: list[bytes], room: int, *, empty: bool
) -> None:
    """No line is split, the room is kept, and no more lines would have fitted."""
    taken = cutter.fitting(b"".join(lines), room_bytes=room, empty=empty)
    fitting, size = 0, 0
    for line in lines:
        if size + len(line) > room and not (empty and fitting == 0):
            break
        fitting, size = fitting + 1, size + len(line)
    assert taken == size


@given(lines=LINES, torn=st.binary(max_size=9), room=st.integers(1, 50))
def test_lines_are_counted_and_cut_in_one(lines: list[bytes], torn: bytes, room: int) -> None:
    """At most `room` lines, as bytes of the data that they take; a torn one at the end counts."""
    every = [*lines, torn.replace(b"\n", b"x")]
    data = b"".join(every)
    cut, taken = cutter.lines_of(data, room_lines=room)
    assert cut == [line.removesuffix(b"\n") for line in every if line][:room]
    assert taken == len(b"".join([line for line in every if line][:room]))


@given(piece=st.binary(min_size=1, max_size=50).map(lambda b: b.replace(b"\n", b"x")))
def test_a_piece_of_a_line_is_never_cut(piece: bytes) -> None:
    """A torn line longer than the room makes a batch of its own."""
    assert cutter.fitting(piece, room_bytes=10, empty=True) == len(piece)
    assert cutter.fitting(piece, room_bytes=10, empty=False) == (
        len(piece) if len(piece) <= 10 else 0
    )


def test_a_batch_is_due_at_its_age() -> None:
    """Exactly `max_age` after it was opened, not before."""
    second = 10**9
    assert cutter.due(now_ns=11 * second, opened_ns=second, max_age_seconds=10)
    assert not cutter.due(now_ns=11 * second - 1, opened_ns=second, max_age_seconds=10)
