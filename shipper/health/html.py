"""The status page: one HTML document that loads nothing, runs nothing and asks for nothing.

Every text from a status is escaped; the frame around it is page.html.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from shipper.health.rows import found_row, headline, rows
from shipper.health.status import Found, Status
from shipper.health.troubles import Trouble

_PAGE = files("shipper.health").joinpath("page.html").read_text(encoding="utf-8")
_STYLE = _PAGE.split("<style>")[1].split("</style>")[0]
_FRAME = Template(_PAGE)

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    f" style-src 'sha256-{base64.b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
)
"""Nothing but the one style sheet that stands in the page."""


def render(status: Status) -> str:
    """The whole document."""
    return _FRAME.substitute(
        state="bad" if status.troubles else "good",
        headline=escape(headline(status)),
        log=escape(status.log or "no log yet"),
        troubles=_troubles(status.troubles),
        rows="".join(
            f"<dt>{escape(name)}</dt><dd>{escape(says)}</dd>\n"
            for name, says in rows(status)
            if name not in ("log", "head")
        ),
        head=escape(f"{status.log} {status.head_seq} {status.head_sha256}"),
        findings=_findings(status.last_findings),
    )


def _troubles(troubles: Iterable[Trouble]) -> str:
    items = "".join(
        f"<li><strong>{escape(one.says)}</strong><br>{escape(one.do)} <code>{escape(one.code)}"
        "</code></li>\n"
        for one in troubles
    )
    return (
        f'<section class="do"><h2>What to do now</h2><ol>\n{items}</ol></section>' if items else ""
    )


def _findings(found: Iterable[Found]) -> str:
    items = "".join(_finding(one) for one in found)
    return f"<ul>\n{items}</ul>" if items else "<p>None since the start.</p>"


def _finding(found: Found) -> str:
    one = found_row(found)
    where = " · ".join(text for text in (one.who, one.time, f"record {one.seq}") if text)
    return (
        f'<li><b class="{escape(one.severity)}">{escape(one.severity)}</b> {escape(one.rule)}'
        f"<p>{escape(one.message)}</p><small>{escape(where)}</small></li>\n"
    )
