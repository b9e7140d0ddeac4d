"""What is bound: texts, numbers and nesting that the engine would not take as they are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shipper.rules.cel import CelError
from tests.rules.cel.asking import ENVIRONMENT, ask


@pytest.mark.parametrize("text", ["kube-system\0", "\0", "a\0b", "\ud800", "a\udfff"])
def test_no_text_is_cut_or_lost(text: str) -> None:
    """The engine cuts texts at a NUL, so that another namespace would pass for kube-system."""
    namespace = text.replace("\0", "\ufffd").replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")
    event = {"objectRef": {"namespace": text}, text: {"key": text}}
    assert ask("event.objectRef.namespace", event=event) == namespace
    assert ask("event", event=event)[namespace] == {"key": namespace}
    assert ask("event.objectRef.namespace == 'kube-system'", event=event) is False


def test_a_clean_line_needs_no_second_look() -> None:
    """A line without an escaped NUL gives texts without one: what `clean` rests on."""
    line = rb'{"a": "\u00e9\ud83d\ude00 \\u0000 text"}'
    decoded = msgspec.json.decode(line.replace(rb"\\u0000", b""))
    activation = ENVIRONMENT.activation({"event": decoded}, clean=True)
    program = ENVIRONMENT.compile("event.a", expect="any")
    assert program.evaluate(activation) == "é😀  text"
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(rb'"\ud800"')


@pytest.mark.parametrize("depth", [900, 100_000])
def test_deep_nesting_does_not_overflow_a_stack(depth: int) -> None:
    """As deep as a decoder reads it is answered; deeper is refused, and never a crash."""
    event: Any = 1
    for _ in range(depth):
        event = [event]
    answer = ask("event == event", event=event)
    assert answer is True or answer == CelError("cost", "nested too deeply")
