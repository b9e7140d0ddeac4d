"""A backtest's result as one HTML page that needs nothing else: no script, no font, no network.

Every text from the history and from policies is escaped by `markup`. Decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.resources import files

from shipper.backtest import chart
from shipper.backtest.compare import CHANGES
from shipper.backtest.markup import Markup, element, joined
from shipper.backtest.question import Question, found, policies_cost, share, silent
from shipper.backtest.result import Result
from shipper.backtest.series import series
from shipper.backtest.tally import AUDIT_RULE, Group, RuleTally, Sample, Subject
from shipper.backtest.text import GUESSED, place

TOP = 10
"""Names in a table; the rest are counted in one row."""

_STYLE = files("shipper.backtest").joinpath("page.css").read_text(encoding="utf-8")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_NUMBER = "number"
_DIMENSIONS = (("User", "users"), ("Namespace", "namespaces"), ("Workload", "workloads"))
_SAYS = dict(
    zip(
        CHANGES,
        (
            "Newly denied or found: the old version lets them pass",
            "No longer denied or found: the new version lets them pass",
            "Both versions",
            "Denied or found by the new version; the old one could not decide",
            "Denied or found by the old version; the new one cannot decide",
        ),
        strict=True,
    )
)


def page(result: Result, question: Question) -> str:
    """The whole page."""
    title = f"Backtest of {', '.join(question.names)}"
    if result.comparison is not None:
        title = "Backtest: from {} to {}".format(*question.names)
    head = (
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        element("title", title),
        element("style", Markup(_STYLE)),
    )
    body = joined(*_heading(title, result, question), element("main", *_main(result, question)))
    whole = element("html", element("head", *head), element("body", body), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _heading(title: str, result: Result, question: Question) -> Iterator[Markup]:
    how = "sealed and verified" if question.verified else "a plain log: nobody has verified it"
    span = "no events"
    if result.first is not None and result.last is not None:
        span = (
            f"events from {result.first:%Y-%m-%d %H:%M:%S} to {result.last:%Y-%m-%d %H:%M:%S} UTC"
        )
    yield element(
        "header",
        element("h1", title),
        element("p", f"{', '.join(question.sources)} ({how}); {span}"),
        element(
            "p",
            f"{result.lines:,} lines, {result.raw_bytes / 1e6:,.0f} MB, in {question.seconds:.1f}"
            f" s; rules {question.sets[-1].sha256[:16]}. {_asked(question)}",
        ),
    )


def _asked(question: Question) -> str:
    if question.sets[-1].replayed:
        return "Policies are those of each moment, as this history shows them."
    return "A policy is asked as if it had been in force, and denying, all along."


def _main(result: Result, question: Question) -> Iterator[Markup]:
    tally, subjects = result.tally, found(result)
    policies = [(one, told) for one, told in subjects if one.kind != AUDIT_RULE]
    rules = [(one, told) for one, told in subjects if one.kind == AUDIT_RULE]
    yield _figures(result, policies, rules)
    if result.comparison is not None:
        for number, (change, group) in enumerate(result.comparison.groups.items()):
            yield _section(f"{group.matches:,}: {_SAYS[change]}", group, result, ident=f"c{number}")
    if policies:
        yield _section("Requests that would have been denied", tally.denied, result, ident="all")
        yield element("section", element("h2", "Policies"), _policies(result, policies))
    for number, (subject, told) in enumerate(subjects):
        if told.matches or told.undecided or told.exempt:
            yield _subject(subject, told, result, ident=f"s{number}")
    if tally.doubts:
        rows = [(doubt, f"{count:,}") for doubt, count in tally.doubts.most_common()]
        table = _table("What is not known of them", ("Doubt", "Times"), rows)
        yield element("section", element("h2", "Policies in doubt"), table)
    if result.refused:
        rows = [(name, f"{count:,}") for name, count in result.refused.most_common(TOP)]
        table = _table("Refused by admission already", ("By", "Requests"), rows)
        yield element("section", element("h2", "Already denied"), table)
    quiet = silent(result, question)
    if quiet:
        names = element("p", ", ".join(quiet))
        yield element("section", element("h2", "Nothing to say"), names)


def _figures(
    result: Result,
    policies: list[tuple[Subject, RuleTally]],
    rules: list[tuple[Subject, RuleTally]],
) -> Markup:
    spoken = sum(told.spoken for _, told in policies)
    undecided = sum(told.undecided for _, told in policies)
    figures = []
    if policies:
        figures = [
            (f"{result.tally.denied.matches:,}", "requests would have been denied"),
            (f"{share(undecided, spoken):.1%}", f"of {spoken:,} answers undecided"),
            (f"{sum(told.exempt for _, told in policies):,}", "answers: exempt"),
            (f"{policies_cost(result).microseconds_each:.1f} us", "for policies, an event"),
        ]
    if rules:
        figures.append((f"{sum(told.matches for _, told in rules):,}", "findings of rules"))
    figures.append((f"{sum(result.refused.values()):,}", "refused by admission already"))
    cards = [
        element("div", element("dd", number), element("dt", says), class_="card")
        for number, says in figures
    ]
    return element("dl", *cards, class_="cards")


def _policies(result: Result, policies: list[tuple[Subject, RuleTally]]) -> Markup:
    heading = (
        "Policy", "Rule", "Action", "Objects", "Denied", "Undecided", "Exempt", "us an object",
    )  # fmt: skip
    rows = []
    for subject, told in policies:
        cost = result.tally.costs.get(subject.policy)
        undecided = f"{told.undecided:,} ({share(told.undecided, told.spoken):.0%})"
        each = f"{cost.microseconds_each:,.1f}" if cost else ""
        rows.append(
            (
                subject.policy, subject.rule, told.action, f"{told.spoken:,}", f"{told.matches:,}",
                undecided, f"{told.exempt:,}", each,
            )
        )  # fmt: skip
    return _table("What each rule of each policy says", heading, rows, texts=3)


def _subject(subject: Subject, told: RuleTally, result: Result, *, ident: str) -> Markup:
    reasons = [
        _table(
            caption, (heading, "Times"), [(why, f"{n:,}") for why, n in counter.most_common(TOP)]
        )
        for caption, heading, counter in (
            ("Undecided", "Why", told.reasons),
            ("Exempt", "Why", told.exemptions),
        )
        if counter
    ]
    if subject.kind == AUDIT_RULE:
        says = f"{subject} ({told.severity}): {told.matches:,} found"
    else:
        says = f"{subject}: {told.matches:,} of {told.spoken:,} would have been denied"
    note: tuple[Markup, ...] = ()
    if told.action in ("warn", "audit"):
        note = (element("p", f"As it is written, its action is {told.action}: it denies nothing."),)
    return _section(says, told, result, *note, *reasons, ident=ident)


def _section(says: str, group: Group, result: Result, *more: Markup, ident: str) -> Markup:
    parts: list[Markup] = [element("h2", says)]
    if group.matches:
        times = series(group.timeline, result.first, result.last)
        rows = [(bar.label(times.width_seconds), f"{bar.many:,}") for bar in times.bars if bar.many]
        if times.timeless:
            rows.append(("without a time", f"{times.timeless:,}"))
        table = _table("Counts over time", (f"From (UTC, {times.width})", "Count"), rows)
        parts += [
            chart.over_time(times, ident=ident, title=f"{says}, over time"),
            element("details", element("summary", "The numbers"), table),
            element(
                "div",
                *(_names(heading, getattr(group, field)) for heading, field in _DIMENSIONS),
                class_="side",
            ),
        ]
        if group.guessed:
            parts.append(element("p", f"Workloads: {group.guessed:,} {GUESSED}.", class_="soft"))
        if group.samples:
            parts.append(element("h3", "Samples"))
            parts.append(element("ul", *map(_sample, group.samples), class_="samples"))
    return element("section", *parts, *more)


def _names(heading: str, counter: Counter[str]) -> Markup:
    top, most = counter.most_common(TOP), max(counter.values(), default=0)
    rows: list[tuple[str, ...]] = [
        (name or "(none)", f"{count:,}", chart.share(count, most)) for name, count in top
    ]
    if len(counter) > len(top):
        left = sum(counter.values()) - sum(count for _, count in top)
        rows.append((f"and {len(counter) - len(top):,} more", f"{left:,}", ""))
    return _table(f"By {heading.lower()}", (heading, "Count", ""), rows)


def _sample(sample: Sample) -> Markup:
    finding = sample.finding
    parts = [
        element("p", element("b", sample.workload or "(none)"), " ", finding.message),
        element(
            "p",
            f"{finding.time} by {finding.who.user or '(none)'}: {finding.what.verb}"
            f" {finding.what.resource}; audit id ",
            element("code", finding.audit_id or "(none)"),
            f", {place(sample)}; {sample.subject}",
            class_="soft",
        ),
    ]
    if sample.change:
        parts.append(element("pre", *_diff(sample.change), class_="diff"))
    return element("li", *parts)


def _diff(lines: Iterable[str]) -> Iterator[Markup]:
    kinds = {"-": "gone", "+": "come", "@": "place"}
    for line in lines:
        yield element("span", f"{line}\n", class_=kinds.get(line[:1], "kept"))


def _table(
    caption: str, heading: Iterable[str], rows: Iterable[tuple[str, ...]], *, texts: int = 1
) -> Markup:
    """A table whose first `texts` columns are texts and the others numbers."""
    head = element("tr", *(element("th", name, scope="col") for name in heading))
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(
                element("td", cell, **({} if at < texts else {"class_": _NUMBER}))
                for at, cell in enumerate(row[1:], 1)
            ),
        )
        for row in rows
    ]
    table = element(
        "table", element("caption", caption), element("thead", head), element("tbody", *body)
    )
    return element("div", table, class_="table")
