"""URLs in expressions."""

from __future__ import annotations

import pytest

from tests.rules.cel.asking import ask, refused

TRUE = [
    "isURL('https://user:pass@example.com:80/path?query=val#fragment')",
    "isURL('/absolute-path')",
    "isURL('mailto:someone')",
    "isURL('http://xn--bcher-kva.example')",
    "url('/path').getScheme() == ''",
    "url('HTTPS://example.com/').getScheme() == 'https'",
    "url('https://example.com:80/').getHost() == 'example.com:80'",
    "url('https://example.com/').getHost() == 'example.com'",
    "url('https://[::1]:80/').getHost() == '[::1]:80'",
    "url('https://[::1]/').getHost() == '[::1]'",
    "url('/path').getHost() == ''",
    "url('https://user:pw@example.com/').getHost() == 'example.com'",
    "url('https://example.com:80/').getHostname() == 'example.com'",
    "url('https://127.0.0.1:80/').getHostname() == '127.0.0.1'",
    "url('https://[::1]:80/').getHostname() == '::1'",
    "url('/path').getHostname() == ''",
    "url('https://example.com:80/').getPort() == '80'",
    "url('https://example.com/').getPort() == ''",
    "url('https://[::1]/').getPort() == ''",
    "url('https://example.com/path').getEscapedPath() == '/path'",
    "url('https://example.com/with space/').getEscapedPath() == '/with%20space/'",
    "url('https://example.com/a%2Fb').getEscapedPath() == '/a%2Fb'",
    "url('https://example.com/a(b)').getEscapedPath() == '/a(b)'",
    "url('https://example.com/é').getEscapedPath() == '/%C3%A9'",
    "url('https://example.com').getEscapedPath() == ''",
    "url('mailto:someone').getEscapedPath() == ''",
    "url('https://example.com/path?k1=a&k2=b&k2=c').getQuery() == {'k1': ['a'], 'k2': ['b', 'c']}",
    "url('/path?with space=value+plus%21').getQuery() == {'with space': ['value plus!']}",
    "url('/path?').getQuery() == {}",
    "url('/path').getQuery() == {}",
    "url('/path?a;b=1&c=%zz&&d').getQuery() == {'d': ['']}",
    "url('/path#a?b=c').getQuery() == {}",
    "url('/path?a=b#c').getQuery() == {'a': ['b']}",
    "url('https://example.com/') == url('HTTPS://example.com/')",
    "url('https://example.com/') != url('https://example.org/')",
    "url('//example.com/x').getHost() == 'example.com'",
    "url('///example.com/x').getHost() == ''",
    "url(event.requestURI).getQuery().exists(k, k == 'dryRun')",
]

NO_URLS = [
    "",
    "../relative-path",
    "path",
    ":",
    "://example.com",
    "https://a:b:c/",
    "https://example.com:80a/",
    "https://[::1/",
    "https://example.com%41/",
    "https://exa mple.com/",
    "https://us er@example.com/",
    "/bad%zzescape",
    "/line\nbreak",
    "/nul\x7f",
]


@pytest.mark.parametrize("text", TRUE)
def test_urls_have_the_parts_that_the_api_server_sees(text: str) -> None:
    """What Kubernetes' documentation says of a URL, and Go's net/url does with it, holds."""
    assert ask(text, event={"requestURI": "/api/v1/pods?dryRun=All&limit=500"}) is True


@pytest.mark.parametrize("text", NO_URLS)
def test_other_texts_are_no_urls(text: str) -> None:
    """A text that Go would not parse is refused."""
    assert ask("isURL(object)", object=text) is False
    assert refused("url(object)", object=text)


def test_a_query_may_hide_nothing_behind_a_value() -> None:
    """A parameter's name within another's value is no parameter."""
    hidden = {"requestURI": "/api/v1/pods?fieldManager=dryRun=All"}
    assert ask("has(url(event.requestURI).getQuery().dryRun)", event=hidden) is False
