"""`python -m tests.conformance [DIALECT ...]`: the table of agreement, and every disagreement.

The exit code is 1 if a target is missed, or if the corpus is not there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from tests.conformance.case import Case, Group, Suite, grouped
from tests.conformance.suites import SUITES
from tests.conftest import SHARED

_HEADING = ("group", "cases", "agree", "share", "target", "")


def main(names: list[str]) -> int:
    """Judge the named dialects' cases, or all."""
    corpus = SHARED / "conformance"
    if not corpus.is_dir():
        sys.stderr.write("needs ../shared/conformance, which a clone does not have\n")
        return 1
    unknown = set(names) - SUITES.keys()
    if unknown:
        sys.stderr.write(
            f"no dialect {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}\n"
        )
        return 1
    groups: list[Group] = []
    disagreements: list[str] = []
    for name in names or SUITES:
        cases = list(SUITES[name].cases(corpus))
        groups += grouped(SUITES[name], cases)
        disagreements += _explained(SUITES[name], cases)
    sys.stdout.write("\n".join([*_table(groups), "", *disagreements]).rstrip() + "\n")
    return 0 if all(group.is_met for group in groups) else 1


def _table(groups: Iterable[Group]) -> list[str]:
    rows = [_HEADING, *map(_row, groups)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADING))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _row(group: Group) -> tuple[str, ...]:
    return (
        group.name,
        str(group.cases),
        str(group.agree),
        f"{group.share:.2f}%",
        f">= {group.target:g}%",
        "ok" if group.is_met else "missed",
    )


def _explained(suite: Suite, cases: Iterable[Case]) -> list[str]:
    """Each disagreement with its reason: the known one, else what the case itself notes."""
    reasons: Mapping[str, str] = suite.EXPLAINED
    return [
        f"{case.group}: {case.name}: expected {case.expected}, got {case.got}:"
        f" {reasons.get(case.name) or case.note or 'NOT EXPLAINED'}"
        for case in cases
        if not case.agrees
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
