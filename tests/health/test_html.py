"""The status page: nothing that a log line or a store says is markup, and nothing is loaded."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from html.parser import HTMLParser

from msgspec import structs

from shipper.health.html import POLICY, render
from tests.health.samples import BAD, WELL

TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "section", "h1", "h2", "p", "ol",
    "ul", "li", "dl", "dt", "dd", "strong", "br", "code", "b", "small",
}  # fmt: skip


class Page(HTMLParser):
    """Tags, attributes and text of a document."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_text_stays_text() -> None:
    """User names, messages and answers that are markup are shown as they are, and no terminal or
    reader is turned around by them."""
    page = Page(render(BAD))
    assert set(page.tags) <= TAGS
    assert page.attributes <= {
        "lang", "charset", "name", "content", "http-equiv", "class", "id", "href",
    }  # fmt: skip
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.text
    assert "\x1b" not in page.text


def test_a_severity_is_no_way_into_an_attribute() -> None:
    """The class of a finding is one of ours even if the record holds something else."""
    found = BAD.last_findings[0]
    odd = structs.replace(found, finding=structs.replace(found.finding, severity='x" onload="y'))
    assert "onload" not in Page(render(structs.replace(BAD, last_findings=[odd]))).attributes


def test_nothing_is_loaded_or_run() -> None:
    """The policy allows one style sheet, the one in the page, by its hash."""
    document = render(WELL)
    style = re.search("<style>(.*)</style>", document, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    assert POLICY.endswith(f"style-src 'sha256-{digest}'")
    assert POLICY.startswith("default-src 'none'")
    assert "url(" not in style[1]
    assert " style=" not in document


def test_the_head_is_there_to_copy() -> None:
    """Log, number and hash, as one line."""
    assert f"{WELL.log} {WELL.head_seq} {WELL.head_sha256}" in Page(render(WELL)).text


def test_it_says_what_to_do_only_if_something_is_wrong() -> None:
    """All is well, or the troubles in their order."""
    assert "What to do now" not in render(WELL)
    assert "All is well" in render(WELL)
    text = Page(render(BAD)).text
    assert f"{len(BAD.troubles)} things need you" in text
    places = [text.index(one.do) for one in BAD.troubles]
    assert places == sorted(places)
