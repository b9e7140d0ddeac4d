"""YAML with lines: what is read, where it stands, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.rules.document import MAX_DEPTH, read


def reasons(text: str) -> list[str]:
    return [str(problem) for problem in read(text, "f")[1]]


def test_each_value_knows_its_line() -> None:
    """Keys, items, the first line of a block text; of what is not there, what is around it."""
    (document,), problems = read(
        "# a comment\na:\n  b: [1,\n    2]\n  when: |\n    first\n    second\n", "f"
    )
    assert not problems
    assert document.value == {"a": {"b": [1, 2], "when": "first\nsecond\n"}}
    assert document.lines(("a",)).key == 2
    assert document.lines(("a", "b", 1)).value == 4
    assert document.lines(("a", "when")) == (5, 6)
    assert str(document.problem(("a", "when"), "no", row=2)) == "f:7: a.when: no"
    assert document.lines(("a", "missing")).key == 2
    assert document.line == 2


def test_documents_count_their_lines_through_the_file() -> None:
    """Several documents in a file, empty ones left out."""
    documents, problems = read("a: 1\n---\n---\n\nb: 2\n", "f")
    assert [(one.value, one.line) for one in documents] == [({"a": 1}, 1), ({"b": 2}, 5)]
    assert not problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"), ("yes", "yes"), ("true", True), ("False", False), ("null", None),
        ("~", None),
        ("2026-11-23", "2026-11-23"), ("1:30", "1:30"), ("0644", "0644"), ("12", 12), ("-3", -3),
        ("1.5", 1.5), ("1e3", 1000.0), ("0x1F", "0x1F"), ("'12'", "12"), (".inf", ".inf"),
        ("1" * 40, "1" * 40), ("*x", None),
    ],
)  # fmt: skip
def test_plain_values_are_those_of_yaml_1_2(text: str, value: object) -> None:
    """Only true and false are booleans; dates, times, octals and endless digits are text."""
    documents, problems = read(f"[{text}]", "f")
    if text == "*x":
        assert reasons(f"[{text}]") == ["f:1: there is no &x before here"]
    else:
        assert documents[0].value == [value]
        assert not problems


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", "f:2: the key 'a' stands twice"),
        ("1: 2", "f:1: the key 1 is no text"),
        ("? [a]\n: 1", "f:1: the key ['a'] is no text"),
        (
            "a: !!python/object:os.system {}",
            "f:1: the tag tag:yaml.org,2002:python/object:os.system",
        ),
        ("a: [", "f:2: not YAML"),
        ("a: &x [*x]", "f:1: there is no &x before here"),
        ("[" * (MAX_DEPTH + 2), "f:1: nested deeper than 100 levels"),
        ("a: \x00", "f: not YAML"),
    ],
)
def test_what_no_rule_file_needs_is_refused(text: str, reason: str) -> None:
    """Each with its line; nothing is guessed."""
    assert any(found.startswith(reason) for found in reasons(text)), reasons(text)


def test_aliases_may_not_unfold_without_end() -> None:
    """Ten lines that would be ten to the nine values are refused before they are built."""
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert any("values in one file" in reason for reason in reasons("\n".join(lines)))


def test_what_stands_before_a_mistake_is_read() -> None:
    """An error of syntax costs the rest of the file, not what was whole before it."""
    documents, problems = read("a: 1\n---\nb: [\n", "f")
    assert [one.value for one in documents] == [{"a": 1}]
    assert len(problems) == 1


@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    """Whatever stands in a file, the answer is documents and problems."""
    documents, problems = read(text, "f")
    assert len(documents) >= 0
    assert all(problem.reason for problem in problems)
