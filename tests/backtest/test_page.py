"""The HTML page."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from shipper.backtest.page import TOP, page
from shipper.backtest.result import Result
from tests.backtest.support import PLACE, SUBJECT, hit, judged, labelled, question, tried
from tests.rules.dialects.tiny import demand
from tests.rules.support import rule

pytestmark = pytest.mark.usefixtures("tiny")

EVIL = '"><img src=x onerror=alert(1)><script>alert(1)</script>\u202e'


class _Outline(HTMLParser):
    """The elements of a page, and whether each is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def shown(tmp_path: Path, *lines: bytes) -> str:
    rules = tried(tmp_path, demand(), demand("b", cluster=True), rule(match={"verbs": ["create"]}))
    return page(judged([rules], *lines), question(rules))


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    """No script, nothing from a network: it opens offline, and its own policy forbids more."""
    text = shown(tmp_path, labelled(1), labelled(2))
    outline = _Outline(text)
    assert not {"script", "link", "img", "iframe", "object"} & outline.tags.keys()
    assert not [name for name, _ in outline.attributes if name in ("src", "href", "style")]
    assert "http" not in re.sub(r"http-equiv", "", text)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_every_chart_stands_beside_its_table(tmp_path: Path) -> None:
    """The numbers of each are there to be read; ids are unique, and every table has a caption."""
    outline = _Outline(shown(tmp_path, labelled(1), labelled(2)))
    charts = [value for name, value in outline.attributes if (name, value) == ("role", "img")]
    assert len(charts) == outline.tags["details"] == 3
    assert outline.tags["table"] == outline.tags["caption"]
    ids = [value for name, value in outline.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    named = {
        one for n, v in outline.attributes if n == "aria-labelledby" for one in (v or "").split()
    }
    assert named == set(ids)


def test_it_says_what_would_have_been_denied(tmp_path: Path) -> None:
    """Counts, shares, samples with their audit ids, reasons, and who had nothing to say."""
    text = re.sub(r"<[^>]+>", " ", shown(tmp_path, labelled(1), labelled(2, {"team": "a"})))
    for part in (
        "1 of 2 would have been denied", "of 4 answers undecided", "asks the cluster",
        "needs the label team", "id-1", "Pod default/p1", "sealed and verified",
    ):  # fmt: skip
        assert part in text


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    """In names of users, namespaces and pods, and in what was asked for."""
    user = {"username": EVIL, "groups": []}
    reference = {"resource": "pods", "namespace": EVIL, "apiVersion": "v1", "name": EVIL}
    body = {"kind": EVIL, "metadata": {"name": EVIL, "namespace": EVIL}}
    line = labelled(1, user=user, objectRef=reference, responseObject=body, auditID=EVIL[:60])
    rules = tried(
        tmp_path, demand(), rule(match={"verbs": ["create"]}, message="{{ event.auditID }}")
    )
    asked = question(rules)._replace(sources=[EVIL], names=[EVIL], verified=False)
    text = page(judged([rules], line), asked)
    outline = _Outline(text)
    assert not {"script", "img"} & outline.tags.keys()
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert "\u202e" not in text
    assert "nobody has verified it" in text


def test_many_names_make_no_long_page(tmp_path: Path) -> None:
    """The most frequent, and how many more."""
    rules = tried(tmp_path, demand())
    result = Result()
    for number in range(100):
        result.tally.denied.add(PLACE, hit(f"u{number}"))
        result.tally.of(SUBJECT).add(PLACE, hit(f"u{number}"))
    text = page(result, question(rules))
    assert f"and {100 - TOP} more" in text
    assert "u99" not in text


def test_a_comparison_has_its_sections(tmp_path: Path) -> None:
    """One for each way in which two versions differ."""
    sets = [tried(tmp_path, demand(), name="old"), tried(tmp_path, demand(label="x"), name="new")]
    text = page(judged(sets, labelled(1, {"team": "a"}), labelled(2, {"x": "y"})), question(*sets))
    assert "1: Newly denied or found" in text
    assert "1: No longer denied or found" in text
    assert "0: Both versions" in text


def test_an_empty_history_is_an_empty_page(tmp_path: Path) -> None:
    """Nothing was read, nothing is claimed."""
    rules = tried(tmp_path, demand())
    assert "no events" in page(Result(), question(rules))
