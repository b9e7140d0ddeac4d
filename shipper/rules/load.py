"""Reads the rules that the configuration names: the catalog's, then the user's own.

All mistakes in all files are found before anything is said, and one mistake refuses the whole set:
a rule that is not in force must never look as if it were.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shipper.config import RuleOverride, Rules
from shipper.errors import ConfigError
from shipper.rules.cel import Environment
from shipper.rules.compile import Compiler, Rule, wrong_params
from shipper.rules.conform import Mistake, conform
from shipper.rules.document import Document, Problem, read
from shipper.rules.rule import API_VERSION, AuditParams, AuditRule
from shipper.rules.ruleset import MALFORMED, Malformed, RuleSet

CATALOG = Path(__file__).parent / "catalog"
MAX_FILE_BYTES = 32 * 2**20
"""Of one rule file: ten thousand rules with their tests fit."""
MAX_SHOWN = 100
"""Problems in one message; the rest are counted."""

_KINDS: Mapping[str, type[AuditRule | AuditParams]] = {
    "AuditRule": AuditRule,
    "AuditParams": AuditParams,
}


class RulesError(ConfigError):
    """The rules can not be used as they are; says everything that is wrong with them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [f"  {problem}" for problem in problems[:MAX_SHOWN]]
        if len(problems) > MAX_SHOWN:
            shown.append(f"  … and {len(problems) - MAX_SHOWN} more")
        many = f"{len(problems)} mistakes" if len(problems) > 1 else "a mistake"
        super().__init__("\n".join([f"the rules have {many}; none is in force:", *shown]))


def load_rules(options: Rules) -> RuleSet:
    """The rules in force under `options`. Raises `RulesError` with every mistake there is."""
    loader = _Loader()
    if options.catalog == "default":
        loader.catalog()
    for path in options.paths:
        loader.path(Path(path))
    return loader.rule_set(options)


def load_files(paths: Iterable[Path], *, catalog: bool = False) -> RuleSet:
    """The rules in `paths` alone (files or directories), or in the catalog too, as written.

    Raises `RulesError` with every mistake there is.
    """
    return load_rules(Rules(catalog="default" if catalog else "none", paths=tuple(map(str, paths))))


class _Loader:
    """Collects documents first: a rule may use a parameter that stands in a later file."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[Document, AuditRule]] = {}
        self._params: dict[str, Any] = {}
        self._param_places: dict[str, str] = {}
        self._problems: list[Problem] = []
        self._refused: set[str] = set()

    def catalog(self, *, params_only: bool = False) -> None:
        """The rules and parameters that come with the program, but for files read already."""
        for file in sorted(CATALOG.glob("*.yaml")):
            if file.resolve() not in self._read:
                self._only_params = params_only
                self._file(file, f"catalog/{file.name}", in_catalog=True)

    def path(self, path: Path) -> None:
        """A file, or every *.yaml and *.yml that stands right in a directory."""
        if not path.is_dir():
            self._file(path, str(path))
            return
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            self._problems.append(Problem(str(path), 0, f"cannot be read: {error.strerror}"))
            return
        for name in names:
            if name.endswith((".yaml", ".yml")) and not name.startswith("."):
                self._file(path / name, str(path / name))

    def rule_set(self, options: Rules) -> RuleSet:
        self._check_config(options)
        params = self._params | options.params
        environment = Environment()
        compiler = Compiler(environment, self._params)
        compiled = [compiler.rule(document, rule) for document, rule in self._rules.values()]
        problems = [*self._problems, *compiler.problems]
        if problems:
            raise RulesError(sorted(problems, key=lambda problem: problem[:2]))
        found = [rule for rule in compiled if rule is not None]
        return _in_force(found, options.overrides, params, environment)

    # ---- files

    def _file(self, path: Path, name: str, *, in_catalog: bool = False) -> None:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
            text = data.decode("utf-8")
        except OSError as error:
            self._problems.append(Problem(name, 0, f"cannot be read: {error.strerror}"))
            return
        except UnicodeDecodeError as error:
            self._problems.append(Problem(name, data.count(b"\n", 0, error.start) + 1, "not UTF-8"))
            return
        if len(data) > MAX_FILE_BYTES:
            self._problems.append(Problem(name, 0, f"longer than {MAX_FILE_BYTES >> 20} MiB"))
            return
        documents, problems = read(text, name)
        self._problems += problems
        for document in documents:
            self._document(document, in_catalog=in_catalog)

    def _document(self, document: Document, *, in_catalog: bool) -> None:
        value = document.value
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in _KINDS:
            known = f"; known: apiVersion: {API_VERSION} with kind: {' or '.join(_KINDS)}"
            self._problems.append(document.problem(("kind",), f"{kind} is no kind of rule{known}"))
            return
        written, mistakes = conform(value, _KINDS[kind])
        self._problems += [_located(document, mistake) for mistake in mistakes]
        if isinstance(written, AuditParams):
            self._declare(document, written)
        elif isinstance(written, AuditRule):
            self._add(document, written, in_catalog=in_catalog)
        else:
            self._remember(value, kind)

    def _remember(self, value: dict[str, Any], kind: str) -> None:
        """What a refused document would have declared is not missed elsewhere as well."""
        metadata, spec = value.get("metadata"), value.get("spec")
        if kind == "AuditParams" and isinstance(spec, dict):
            self._params |= spec
        if kind == "AuditRule" and isinstance(metadata, dict):
            self._refused.add(str(metadata.get("name")))

    def _add(self, document: Document, written: AuditRule, *, in_catalog: bool) -> None:
        name = written.metadata.name
        if name == MALFORMED:
            reason = f"{name} is the name of a built-in rule; choose another"
            self._problems.append(document.problem(("metadata", "name"), reason))
        elif name in self._rules:
            other = self._rules[name][0]
            reason = (
                f"the name {name} is taken by {other.file}:{other.line};"
                " choose another, or change that rule with rules.overrides"
            )
            self._problems.append(document.problem(("metadata", "name"), reason))
        else:
            self._rules[name] = document, written
        if in_catalog:
            self._problems += [
                document.problem(("spec",), f"a rule of the catalog has {key}")
                for key, value in (
                    ("tests", written.spec.tests),
                    ("falsePositives", written.spec.false_positives),
                    ("attack", written.spec.attack),
                    ("a description", written.spec.description),
                )
                if not value
            ]

    def _declare(self, document: Document, written: AuditParams) -> None:
        for name, value in written.spec.items():
            if name in self._params:
                reason = f"the parameter {name} is declared in {self._param_places[name]} already"
                self._problems.append(document.problem(("spec", name), reason))
                continue
            self._params[name] = value
            line = document.lines(("spec", name)).key
            self._param_places[name] = f"{document.file}:{line}"

    def _check_config(self, options: Rules) -> None:
        for reason in wrong_params(options.params, self._params):
            self._problems.append(Problem("rules.params", 0, reason))
        known = [*self._rules, MALFORMED]
        for name in options.overrides:
            if name not in known and name not in self._refused:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self._problems.append(
                    Problem("rules.overrides", 0, f"there is no rule {name}{hint}")
                )


def _located(document: Document, mistake: Mistake) -> Problem:
    path, reason, of_key = mistake
    problem = document.problem(path, reason)
    return problem._replace(line=document.lines(path).key) if of_key else problem


def _in_force(
    rules: Iterable[Rule],
    overrides: Mapping[str, RuleOverride],
    params: Mapping[str, Any],
    environment: Environment,
) -> RuleSet:
    found = []
    for rule in rules:
        override = overrides.get(rule.name, RuleOverride())
        if override.mode != "off":
            severity, mode = override.severity or rule.severity, override.mode or rule.mode
            found.append(msgspec.structs.replace(rule, severity=severity, mode=mode))
    malformed = overrides.get(MALFORMED, RuleOverride())
    return RuleSet(
        found,
        environment=environment,
        params=params,
        off=[name for name, override in overrides.items() if override.mode == "off"],
        malformed=Malformed(malformed.severity or "low", malformed.mode or "alert"),
    )
