"""Variables and references in documents."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.kyverno.errors import EvaluationError, NotFoundError, UndecidedError
from shipper.rules.dialects.kyverno.variables import Document
from tests.rules.dialects.kyverno.policies import pod, question


def _filled(value: Any, **metadata: Any) -> Any:
    return Document(value).fill(question(pod(**metadata)))


def test_a_text_that_is_one_variable_becomes_its_value() -> None:
    """Of whatever type; within a longer text it is written, as JSON if it is no text."""
    assert _filled("{{ request.object.spec.containers }}") == [
        {"name": "web", "image": "nginx:1.27"}
    ]
    assert _filled("x-{{ request.object.metadata.name }}-{{request.operation}}") == "x-web-CREATE"
    assert _filled("{{ request.object.spec.containers[0] }}!") == (
        '{"image":"nginx:1.27","name":"web"}!'
    )
    assert _filled("{{ `null` || 'a' }}{{ 'b' }}{{ 'c' }}") == "abc"


def test_keys_have_variables_too() -> None:
    """One that is no text is the rule's error."""
    assert _filled({"{{ request.operation }}": [1]}) == {"CREATE": [1]}
    with pytest.raises(EvaluationError, match="key"):
        _filled({"{{ `1` }}": 1})


def test_variables_nest() -> None:
    """The inner one is filled in first."""
    assert _filled("{{ request.object.metadata.labels.{{ 'a' }} }}", labels={"a": "b"}) == "b"


def test_what_is_escaped_is_no_variable() -> None:
    """The backslash goes."""
    assert _filled("\\{{ not }} {{ 'x' }}") == "{{ not }} x"


def test_a_value_that_looks_like_a_variable_is_one_unless_it_is_taken_as_it_is() -> None:
    """As in Kyverno: `{{- x }}` does not look into the value."""
    label = {"a": "{{ request.operation }}"}
    assert _filled("<{{ request.object.metadata.labels.a }}>", labels=label) == "<CREATE>"
    shallow = _filled("<{{- request.object.metadata.labels.a }}>", labels=label)
    assert shallow == "<{{ request.operation }}>"


def test_what_is_not_there_is_an_error_and_what_is_not_known_is_undecided() -> None:
    """The two are never mixed up."""
    with pytest.raises(NotFoundError):
        _filled("{{ request.object.metadata.labels }}")
    for name in ("request.userInfo.username", "serviceAccountName", "request.roles", "request.uid"):
        with pytest.raises(UndecidedError):
            _filled(f"{{{{ {name} }}}}")


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("<{{ request.object.metadata.labels.a }}>", "deep"),
        ("{{ request.object.metadata.labels.a }}{{ request.object.metadata.labels.a }}", "limit"),
    ],
)
def test_a_value_that_names_itself_is_undecided(label: str, reason: str) -> None:
    """It would be filled in for ever; it doubles each time, until it is too long."""
    with pytest.raises(UndecidedError, match=reason):
        _filled("<{{ request.object.metadata.labels.a }}>", labels={"a": label})


def test_a_reference_leads_into_the_pattern_itself() -> None:
    """Relative or absolute, with the operator that stands before it; anchors do not count."""
    pattern = {"=(a)": {"limit": "5Gi", "request": "$(<=./../limit)"}, "b": "$(/a/limit)"}
    filled = Document(pattern).fill(question())
    assert filled == {"=(a)": {"limit": "5Gi", "request": "<=5Gi"}, "b": "5Gi"}
    assert Document({"a": "\\$(b)"}).value == {"a": "$(b)"}
    with pytest.raises(ValueError, match="leads to no value"):
        Document({"a": "$(./../b)"})


def test_at_is_the_objects_value_at_the_place_of_the_pattern() -> None:
    """Whatever anchors lead there."""
    pattern = {"spec": {"=(containers)": [{"image": "{{ @ }}"}]}}
    assert Document(pattern).fill(question()) == {
        "spec": {"=(containers)": [{"image": "nginx:1.27"}]}
    }
