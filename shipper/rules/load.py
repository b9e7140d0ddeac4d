"""From the files that the configuration names to the rules in force: the catalog's, then yours.

All mistakes in all files are found before anything is said, and one mistake refuses the whole set:
a rule that is not in force must never look as if it were.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shipper.config import RuleOverride, Rules
from shipper.errors import ConfigError
from shipper.rules.cel import Environment
from shipper.rules.collect import Collected
from shipper.rules.compile import Compiler, wrong_params
from shipper.rules.conform import Mistake, conform
from shipper.rules.dialects import registry
from shipper.rules.dialects.objects import unfolded
from shipper.rules.dialects.registry import Detection
from shipper.rules.document import Document, Problem
from shipper.rules.files import read_file, rule_files
from shipper.rules.guardrails import bypass
from shipper.rules.guardrails.bypass import BYPASS
from shipper.rules.rule import AuditParams, AuditRule, Overriding
from shipper.rules.ruleset import MALFORMED, Guarded, Malformed, RuleSet

BUILT_IN = (BYPASS, MALFORMED)
"""Rules without a file."""

CATALOG = Path(__file__).parent / "catalog"

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
        super().__init__("\n".join([f"the rules have {many} and are not used:", *shown]))


def load_rules(options: Rules) -> RuleSet:
    """The rules in force under `options`. Raises `RulesError` with every mistake there is."""
    loader = _Loader()
    if options.catalog == "default":
        loader.catalog()
    loader.paths(map(Path, options.paths))
    return loader.rule_set(options)


def load_files(paths: Iterable[Path]) -> RuleSet:
    """The catalog and the rules in `paths` (files or directories), as written.

    Raises `RulesError` with every mistake there is.
    """
    loader = _Loader()
    loader.catalog()
    loader.paths(paths)
    return loader.rule_set(Rules())


def load_tested(paths: Sequence[Path]) -> RuleSet:
    """The rules in `paths` alone, which may use the catalog's parameters; by default the catalog's.

    Raises `RulesError` with every mistake there is.
    """
    loader = _Loader()
    loader.paths(paths)
    loader.catalog(["AuditParams"] if paths else _KINDS)
    return loader.rule_set(Rules())


class _Loader:
    """Collects documents first: a rule may use a parameter that stands in a later file."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._rules: list[tuple[Document, AuditRule, str]] = []
        self._refused: list[Document] = []
        self._names: dict[str, Document] = {}
        self._params: dict[str, Any] = {}
        self._param_places: dict[str, str] = {}
        self._problems: list[Problem] = []
        self._notes: list[Problem] = []
        self._objects = Collected()
        self._detections: dict[Detection, list[Document]] = {}

    def catalog(self, kinds: Collection[str] = _KINDS) -> None:
        """The documents of `kinds` that come with the program, save from files read already."""
        for file in sorted(CATALOG.glob("*.yaml")):
            if os.path.realpath(file) not in self._files:
                self._file(file, f"catalog/{file.name}", kinds)

    def paths(self, paths: Iterable[Path]) -> None:
        """Files, and directories of them."""
        for path in paths:
            files, problems = rule_files(path)
            self._problems += problems
            for file in files:
                self._file(file, str(file), _KINDS)

    def rule_set(self, options: Rules) -> RuleSet:
        """What has been read, under the configuration's parameters and overrides."""
        self._translate()
        for reason in wrong_params(options.params, self._params):
            self._problems.append(Problem("rules.params", 0, reason))
        overrides = {
            name: self._override(name, override) for name, override in options.overrides.items()
        }
        environment = Environment()
        compiler = Compiler(environment, self._params)
        compiled = [
            compiler.rule(
                document, written, overrides.get(written.metadata.name), language=language
            )
            for document, written, language in self._rules
        ]
        for document in self._refused:
            compiler.check(document)
        told = compiler.rule(Document("built-in", 0, {}, {}), bypass.RULE, overrides.get(BYPASS))
        from_log = options.policies == "from-log"
        dialects = registry.dialects(registry.groups()) if from_log else []
        policies = self._objects.linked(dialects)
        problems = [*self._problems, *self._objects.problems, *compiler.problems]
        if problems:
            raise RulesError(sorted(problems, key=lambda problem: problem[:2]))
        off = [name for name, override in options.overrides.items() if override.mode == "off"]
        return RuleSet(
            [rule for rule in compiled if rule is not None and rule.name not in off],
            environment=environment,
            params=self._params | options.params,
            off=off,
            malformed=_malformed(options.overrides.get(MALFORMED, RuleOverride())),
            guarded=Guarded(policies, None if BYPASS in off else told, tuple(dialects)),
            notes=self._notes,
        )

    def _translate(self) -> None:
        """The documents of detection languages, as rules."""
        for language, documents in self._detections.items():
            found = language.make().translate(documents)
            self._problems += found.problems
            self._notes += found.notes
            self._params |= found.params
            for document, written in found.rules:
                self._named(document, written.metadata.name)
                self._rules.append((document, written, language.name))

    def _file(self, path: Path, name: str, kinds: Collection[str]) -> None:
        self._files.add(os.path.realpath(path))
        documents, problems = read_file(path, name)
        self._problems += problems
        for document in (part for whole in documents for part in unfolded(whole)):
            value = document.value
            kind = value.get("kind") if isinstance(value, dict) else None
            if isinstance(kind, str) and kind in _KINDS:
                if kind in kinds:
                    self._document(document, kind)
            elif language := registry.detection_of(value):
                self._detections.setdefault(language, []).append(document)
            else:
                self._objects.add(document)

    def _document(self, document: Document, kind: str) -> None:
        written, mistakes = conform(document.value, _KINDS[kind])
        self._problems += [_located(document, mistake) for mistake in mistakes]
        metadata, spec = document.value.get("metadata"), document.value.get("spec")
        if kind == "AuditRule" and isinstance(metadata, dict):
            self._named(document, metadata.get("name"))
        if isinstance(written, AuditParams):
            self._declare(document, written)
        elif isinstance(written, AuditRule):
            self._rules.append((document, written, ""))
            if document.file.startswith("catalog/"):
                self._problems += _incomplete(document, written)
        elif kind == "AuditRule":
            self._refused.append(document)
        elif isinstance(spec, dict):  # what it would declare is not missed elsewhere as well
            self._params |= spec

    def _named(self, document: Document, name: object) -> None:
        reason = ""
        if name in BUILT_IN:
            reason = f"{name} is the name of a built-in rule; choose another"
        elif name in self._names:
            other = self._names[str(name)]
            reason = (
                f"the name {name} is taken by {other.file}:{other.line};"
                " choose another, or change that rule with rules.overrides"
            )
        elif isinstance(name, str):
            self._names[name] = document
        if reason:
            self._problems.append(document.problem(("metadata", "name"), reason))

    def _declare(self, document: Document, written: AuditParams) -> None:
        for name, value in written.spec.items():
            if name in self._params:
                reason = f"the parameter {name} is declared in {self._param_places[name]} already"
                self._problems.append(document.problem(("spec", name), reason))
                continue
            self._params[name] = value
            line = document.lines(("spec", name)).key
            self._param_places[name] = f"{document.file}:{line}"

    def _override(self, name: str, override: RuleOverride) -> Overriding | None:
        """The override with its exceptions in the rule file's form."""
        document = Document(f"rules.overrides.{name}", 0, {"exceptions": override.exceptions}, {})
        known = [*self._names, *BUILT_IN]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self._problems.append(document.problem((), f"there is no rule {name}{hint}"))
        if name == MALFORMED and override.exceptions:
            self._problems.append(document.problem(("exceptions",), f"{name} has none"))
        page = {
            "severity": override.severity,
            "mode": None if override.mode == "off" else override.mode,
            "exceptions": override.exceptions,
        }
        written, mistakes = conform(page, Overriding)
        self._problems += [_located(document, mistake) for mistake in mistakes]
        return written


def _located(document: Document, mistake: Mistake) -> Problem:
    path, reason, of_key = mistake
    problem = document.problem(path, reason)
    return problem._replace(line=document.lines(path).key) if of_key else problem


def _incomplete(document: Document, written: AuditRule) -> list[Problem]:
    needed = {
        "tests": written.spec.tests,
        "falsePositives": written.spec.false_positives,
        "attack": written.spec.attack,
        "description": written.spec.description,
    }
    return [
        document.problem(("spec",), f"a rule of the catalog needs {key}")
        for key, value in needed.items()
        if not value
    ]


def _malformed(override: RuleOverride) -> Malformed:
    return Malformed(override.severity or "low", override.mode or "alert")
