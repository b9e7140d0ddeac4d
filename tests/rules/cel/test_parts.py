"""Expressions made of several."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.cel import CelError, CompileError, Environment, Part, constant
from shipper.rules.cel.environment import VARIABLES

ENVIRONMENT = Environment((*VARIABLES, "variables"))
ALONE = ("request.userInfo", "request.options")
POD = {"kind": "Pod", "spec": {"containers": [{"name": "a"}, {"name": "b"}]}}


def _variables(**texts: str) -> dict[str, Part]:
    named: dict[str, Part] = {}
    for name, text in texts.items():
        named[f"variables.{name}"] = ENVIRONMENT.part(text, alone=(*ALONE, *named))
    return named


def _ask(text: str, variables: dict[str, Part], **values: Any) -> Any:
    main = ENVIRONMENT.part(text, alone=(*ALONE, *variables))
    program = ENVIRONMENT.program(main, variables)
    return program.evaluate(ENVIRONMENT.activation(values))


def test_a_variable_is_what_its_expression_says() -> None:
    """Also where it is made of others, and where a loop asks for it."""
    variables = _variables(
        containers="object.spec.containers",
        names="variables.containers.map(c, c.name)",
        unused="object.nothing",
    )
    assert _ask("variables.names == ['a', 'b']", variables, object=POD) is True
    assert _ask("variables.names.all(n, n in variables.names)", variables, object=POD) is True
    assert _ask("has(variables.names)", variables, object=POD) is True


def test_a_variable_fails_only_where_it_is_asked() -> None:
    """As in the API server, which evaluates it when it is first asked for."""
    variables = _variables(broken="object.nothing")
    assert _ask("true || variables.broken == 1", variables, object=POD) is True
    assert _ask("object.kind == 'Pod' || variables.broken", variables, object=POD) is True
    assert isinstance(_ask("variables.broken == 1", variables, object=POD), CelError)


def test_a_macro_takes_no_name_from_a_variable() -> None:
    """A loop's `object` is not the variable's."""
    variables = _variables(kind="object.kind")
    assert _ask("['x'].all(object, variables.kind == 'Pod')", variables, object=POD) is True
    assert _ask("[{'kind': 'x'}].all(variables, variables.kind == 'x')", variables) is True


def test_a_variable_that_stands_later_or_nowhere_is_left_over() -> None:
    """Whoever compiles a policy sees it among the references, and refuses."""
    variables = _variables(early="variables.late", late="1")
    main = ENVIRONMENT.part("variables.early == variables.never", alone=variables)
    assert "variables" in ENVIRONMENT.program(main, variables).references


def test_a_program_speaks_of_what_its_variables_speak_of() -> None:
    """So that what is bound for it can be cut down to that."""
    variables = _variables(image="object.spec.image", other="oldObject.spec")
    main = ENVIRONMENT.part("variables.image == request.name", alone=variables)
    program = ENVIRONMENT.program(main, variables)
    assert program.paths == {("object", "spec", "image"), ("request", "name")}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("request.userInfo.username == 'ann'", True),
        ("request['userInfo'].username == 'ann'", True),
        ("request.?userInfo.username.orValue('') == 'ann'", True),
        ("has(request.userInfo) && has(request.options)", True),
        ("has(request.userInfo.groups)", False),
        ("request.name == 'web' || request.options.x", True),
    ],
)
def test_a_member_may_stand_alone(text: str, answer: bool) -> None:
    """However it is written; the rest of the variable is known without it."""
    values = {"request": {"name": "web"}, "request.userInfo": {"username": "ann"}}
    assert _ask(text, {}, **values) is answer


def test_a_member_that_is_not_bound_is_unknown() -> None:
    """What depends on it has no answer, though the variable itself is bound."""
    answer = _ask("request.options.x == 1", {}, request={"name": "web"})
    assert isinstance(answer, CelError)
    assert answer.kind == "unbound"


@pytest.mark.parametrize(
    "value",
    [
        {"repos": ["a/", "b/"], "max": 3, "ratio": 0.5, "on": True, "none": None, "sub": {"x": {}}},
        [1, -1, 2**63, 2**64 - 1, -(2**63), "", "é"],
        "text",
    ],
)
def test_a_constant_is_its_value(value: Any) -> None:
    """Parameters are part of the expression: nothing is converted for them at every event."""
    assert _ask("params == object", {"params": constant(value)}, object=value) is True


def test_variables_that_double_each_other_are_bounded() -> None:
    """A bomb is refused its answer, not given the memory."""
    texts = {"v0": "object.kind"} | {
        f"v{n}": f"variables.v{n - 1} + variables.v{n - 1}" for n in range(1, 12)
    }
    short = _ask("size(variables.v11) == 3 * 2048", _variables(**texts), object=POD)
    assert short is True
    texts |= {f"v{n}": f"variables.v{n - 1} + variables.v{n - 1}" for n in range(12, 30)}
    answer = _ask("size(variables.v29) > 0", _variables(**texts), object=POD)
    assert isinstance(answer, CelError)
    assert answer.kind == "cost"


def test_a_chain_of_variables_too_long_for_the_engine_is_refused() -> None:
    """At compile time, with a reason."""
    texts = {"v0": "object.kind"} | {f"v{n}": f"variables.v{n - 1} + 'x'" for n in range(1, 100)}
    with pytest.raises(CompileError, match="nested too deeply"):
        _ask("variables.v99 == ''", _variables(**texts), object=POD)


def test_an_optional_in_a_variable_is_one_where_it_is_asked() -> None:
    """And is refused where its type would be lost."""
    variables = _variables(image="object.?spec.?image")
    assert _ask("variables.image.orValue('none') == 'none'", variables, object=POD) is True
    with pytest.raises(CompileError, match="optional"):
        _ask("[variables.image] == []", variables, object=POD)
