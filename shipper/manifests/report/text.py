"""For people: one line a result, `file:line` first, and a summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from shipper.manifests.result import Level, Report, Result

_COLOURS: dict[Level, str | None] = {"deny": "red", "warn": "yellow", "undecided": None}
_SHOWN = 6


def render(report: Report) -> str:
    """The results, each line ended."""
    return "".join(f"{_line(result)}\n" for result in report.results)


def _line(result: Result) -> str:
    word = click.style(f"{result.level:<9}", fg=_COLOURS[result.level])
    one = result.manifest
    rendered = f" (from {one.template})" if one.template else ""
    place = f"{one.document.file}:{result.line}"
    return f"{place}: {word}  {one}{rendered}: {result.name}: {result.message}"


def summary(report: Report) -> Iterator[str]:
    """What was asked and what came of it, in lines."""
    for name in report.unbound:
        yield f"{name} has no binding: asked as if it denied everywhere"
    if report.not_asked:
        yield (
            f"not asked, for their verdict hangs on who, when or how often:"
            f" {_names(report.not_asked)}"
        )
    if report.passed_by:
        yield f"no object of Kubernetes in {_names(report.passed_by)}"
    yield (
        f"{len(report.manifests)} objects, {report.policies} policies, {report.rules} rules:"
        f" {report.count('deny')} denied, {report.count('warn')} warnings,"
        f" {report.count('undecided')} undecided"
    )


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
