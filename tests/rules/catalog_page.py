"""`python -m tests.rules.catalog_page` writes docs/catalog.md: every rule, and what is missing.

The page says what the rules say; nothing is written there by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from shipper.model import Severity
from shipper.rules.compile import Rule
from shipper.rules.load import CATALOG
from tests.conftest import ROOT
from tests.rules.catalog import GRADES, shipped, table

PAGE = ROOT / "docs" / "catalog.md"

INTRODUCTION = """\
# The catalog: rules that come with the program

<!-- Written by `python -m tests.rules.catalog_page`; a test compares it with the rules. -->

`rules.catalog: default` (the default) puts all of them in force, `none` none. `rules.overrides`
silences, re-grades, shadows or excepts one by its name; `rules.params` sets the parameters below.
`audit-shipper rules list` shows what is in force, `rules doctor POLICY.yaml` which rules an audit
policy leaves blind.

- **critical** and **high** mean: wake somebody. Nothing that a healthy control plane does is graded
  so. **medium** is for the next morning, **low** for a look when something else happened, **info**
  for the record.
- A rule tells of a request once, at the first stage that has its answer: of exec, attach,
  port-forward, proxies and watches when they start. An audit policy that omits the stage
  ResponseStarted hides these, and every failed login.
- What was refused is mostly graded lower than what was done; dry runs are not told of.
- Both the user and whoever they impersonate are judged.
- Workloads are judged by their template, when somebody writes it. The pods that a controller makes
  of it are told of once a day, as info.
- Each rule carries tests: events of a real API server, shortened, some with a field changed.
- *needs* is the audit level at which a rule can always decide; below it, its verdict is
  *indeterminate*, which is never a pass.
"""

FALCO = """\
## Next to Falco's rules

Where Falco's own tests demand that a rule of theirs fires, this is what tells of the same event.
"""


def page() -> str:
    """The whole page."""
    rules = sorted(shipped().rules, key=lambda rule: (rule.file, rule.line))
    sections = [INTRODUCTION, _summary(rules), _parameters(rules)]
    for file, group in groupby(rules, key=lambda rule: rule.file):
        sections.append(_section(file, group))
    return "\n".join([*sections, _falco()])


def _summary(rules: Sequence[Rule]) -> str:
    counts = {grade: sum(rule.severity == grade for rule in rules) for grade in reversed(GRADES)}
    listed = ", ".join(f"{count} {grade}" for grade, count in counts.items())
    return f"{len(rules)} rules: {listed}.\n"


def _parameters(rules: Sequence[Rule]) -> str:
    meanings = _meanings()
    rows = [
        [f"`{name}`", meanings[name], _default(value), ", ".join(_users(name, rules))]
        for name, value in sorted(shipped().params.items())
    ]
    return "## Parameters\n\n" + _table(["parameter", "meaning", "default", "used by"], rows)


def _meanings() -> dict[str, str]:
    """The comment above each parameter in the catalog's own file."""
    text = (CATALOG / "params.yaml").read_text(encoding="utf-8")
    found = re.findall(r"((?:^  #.*\n)+)^  (\w+):", text, re.MULTILINE)
    return {name: " ".join(comment.replace("#", "").split()) for comment, name in found}


def _default(value: Any) -> str:
    if not isinstance(value, list):
        return f"`{value}`"
    return ", ".join(f"`{item}`" for item in value) or "none: the rule is off"


def _users(param: str, rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        if any(path[:2] == ("params", param) for path in (rule.when.paths if rule.when else ())):
            yield _link(rule.name)


def _link(name: str) -> str:
    return f"[{name}](#{name})"


def _section(file: str, rules: Iterable[Rule]) -> str:
    name = file.rpartition("/")[2]
    first = (CATALOG / name).read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    rows = [
        [
            f'<a id="{rule.name}"></a>`{rule.name}`',
            _severity(rule.severity),
            " ".join(map(_technique, rule.attack)),
            f"**{rule.title}.** {' '.join(rule.description.split())}",
            " ".join(f"{note.rstrip('.')}." for note in rule.false_positives),
            rule.needs_level,
        ]
        for rule in rules
    ]
    header = ["rule", "severity", "ATT&CK", "what, and why it matters", "false positives", "needs"]
    return f"## {first}\n\n`{name}`\n\n" + _table(header, rows)


def _severity(severity: Severity) -> str:
    return f"**{severity}**" if severity in ("high", "critical") else severity


def _technique(technique: str) -> str:
    return f"[{technique}](https://attack.mitre.org/techniques/{technique.replace('.', '/')}/)"


def _falco() -> str:
    falco = table("falco")
    rows = [
        [theirs, _link(ours["rule"]) + (f", {_link(ours['by-hand'])}" if "by-hand" in ours else "")]
        for theirs, ours in falco["covered"].items()
    ]
    missing = [
        f"Not covered: {', '.join(group['rules'])}. {' '.join(group['why'].split())}\n"
        for group in falco["not-covered"]
    ]
    return "\n".join([FALCO, _table(["Falco", "catalog"], rows), *missing])


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
