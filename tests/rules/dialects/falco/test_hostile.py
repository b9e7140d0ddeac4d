"""Falco files that would take for ever: each is refused by name, or is harmless."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.rules.load import RulesError
from tests.rules.dialects.detect import loaded, problems, request, said
from tests.rules.dialects.falco.test_translate import rule


def macros(count: int, condition: str) -> str:
    """`m0` that names `m1`, and so on; the last is plain."""
    chain = [
        f"- macro: m{number}\n  condition: {condition.format(number, number + 1)}\n"
        for number in range(count)
    ]
    return "".join([*chain, f"- macro: m{count}\n  condition: ka.verb=create\n"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- macro: m0\n  condition: not m0\n", "names itself"),
        ("- macro: m0\n  condition: m1\n- macro: m1\n  condition: m0\n", "names itself"),
        (macros(40, "m{1} and ka.verb!=x{0} or not m{1}"), "longer than 32768 characters"),
        (macros(100, "m{1}"), "deeper than 64"),
        (macros(1, "'" + "(" * 3000 + "m{1}" + ")" * 3000 + "'"), "nested deeper than 64"),
        (macros(1, "'" + " or ".join(f"ka.uri contains {n}" for n in range(5000)) + " or m{1}'"),
         "longer than 32768"),
        (macros(1, "m{1} and ka.uri regex '(x{{1000}}){{1000}}'"), "invalid regular expression"),
        (macros(1, "m{1} and ka.uri regex '" + "(ab|cd){{100}}" * 20 + "'"), "too large"),
        (macros(1, "m{1} and ka.uri glob '" + "*a" * 3000 + "'"), "too long"),
    ],
)  # fmt: skip
def test_what_has_no_bound_is_refused(text: str, reason: str) -> None:
    """Loops, what doubles with each line, what is nested or long without end."""
    (found,) = problems(text + rule("m0"))
    assert reason in found


def test_lists_that_name_each_other_are_written_out_once(tmp_path: Path) -> None:
    """Fifty lists that each hold the next one twice are no 2^50 values; a loop ends."""
    lists = [f"- list: l{n}\n  items: [l{n + 1}, k{n + 1}]\n" for n in range(50)]
    lists += [f"- list: k{n}\n  items: [l{n + 1}, k{n + 1}, l0]\n" for n in range(51)]
    text = "".join(lists) + "- list: l50\n  items: [create]\n" + rule("ka.verb in (l0)")
    assert said(loaded(tmp_path, text), request()) == [("falco-a-rule", "match")]


def test_macros_that_alternate_without_end_are_refused(tmp_path: Path) -> None:
    """CEL nests 32 levels deep."""
    text = macros(40, "not (ka.uri=a or (ka.verb=x{0} and m{1}))") + rule("m0")
    with pytest.raises(RulesError, match="recursion limit"):
        loaded(tmp_path, text)
