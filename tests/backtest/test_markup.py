"""HTML that nobody can forget to escape."""

from __future__ import annotations

from shipper.backtest.markup import Markup, element, joined


def test_text_is_escaped_and_markup_is_not() -> None:
    """Children and attributes alike."""
    inner = element("b", "<script>alert('x')</script> & co")
    page = element("p", inner, "'\"", class_='"><script>', aria_label="a")
    assert page == (
        '<p class="&quot;&gt;&lt;script&gt;" aria-label="a"><b>&lt;script&gt;alert(&#x27;x&#x27;)'
        "&lt;/script&gt; &amp; co</b>&#x27;&quot;</p>"
    )
    assert isinstance(page, Markup)


def test_control_characters_are_shown() -> None:
    """HTML may not hold them, and some turn the direction of text."""
    assert joined("a\x00b\u202ec\nd") == "a\\x00b\\u202ec\nd"
    assert joined("\ud800") == "\\ud800"
