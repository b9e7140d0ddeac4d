"""The checker: what expressions may say. It knows every name and type, and runs nothing.

Its types are Kubernetes' own, so that `quantity("1") == "1"` is refused. What it has checked is run
by the runner, whose functions have the same names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec
from cel_expr_python import cel

from shipper.rules.cel.library import FUNCTIONS
from shipper.rules.cel.library.declared import DECLARED, EXCLUDED, Declared
from shipper.rules.cel.library.function import Function

EXTENSIONS = ("bindings", "encoders", "lists", "math", "optional", "sets", "two-var-comprehensions")
"""What the engine brings along. Kubernetes has all but encoders and math, which Kyverno has."""


def checker(variables: Mapping[str, str], functions: Iterable[Function] = FUNCTIONS) -> Any:
    """An engine environment with these variables, each of a type in the checker's notation."""
    config = {
        "stdlib": {"exclude_functions": [{"name": name} for name in EXCLUDED]},
        "extensions": [{"name": name} for name in EXTENSIONS],
        "variables": [{"name": name, "type": kind} for name, kind in variables.items()],
        "functions": list(_functions(functions)),
    }
    # JSON is YAML, and the engine reads YAML
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(msgspec.json.encode(config).decode()))


def _functions(functions: Iterable[Function]) -> Iterable[Mapping[str, object]]:
    ours = [function for function in functions if "@" not in function.name]
    every: list[Declared | Function] = [*ours, *DECLARED]
    for name, overloads in groupby(sorted(every, key=attrgetter("name")), attrgetter("name")):
        yield {"name": name, "overloads": [_overload(overload) for overload in overloads]}


def _overload(function: Declared | Function) -> Mapping[str, object]:
    receiver = f"{function.receiver}." if function.receiver else ""
    optional = isinstance(function, Function) and function.optional
    returns = f"optional_type<{function.returns}>" if optional else function.returns
    return {
        "id": f"{receiver}{function.name}({', '.join(function.parameters)})",
        **({"target": _type(function.receiver)} if function.receiver else {}),
        "args": [_type(parameter) for parameter in function.parameters],
        "return": _type(returns),
    }


def _type(text: str) -> Mapping[str, object]:
    """`map<string, list<~A>>` as the engine's configuration spells it."""
    name, _, inner = text.removesuffix(">").partition("<")
    if name.startswith("~"):
        return {"type_name": name[1:], "is_type_param": True}
    key, comma, value = inner.partition(", ")  # no type here has a key that has parameters itself
    parameters = [_type(part) for part in ((key, value) if comma else (inner,)) if part]
    return {"type_name": name, "params": parameters}
