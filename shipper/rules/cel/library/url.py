"""URLs: `url(event.requestURI).getQuery()`, and `isURL`. An absolute URI or an absolute path.

Source: k8s.io/apiserver/pkg/cel/library/urls.go. What is a URL, and what its parts are, is as Go's
net/url says; Python's urllib takes almost anything. A second parser with other answers than the
API server's would be a way past a rule.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from shipper.rules.cel.library.function import URL, CallError, Function, held, hold

_MAX_CHARS = 64 * 1024

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:", re.ASCII)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_USER = re.compile(r"[a-zA-Z0-9\-._~!$&'()*+,;=%:@]*", re.ASCII)
_HOST = re.compile(
    r"""(?:[a-zA-Z0-9\-._~!$&'()*+,;=:\[\]<>"]|[^\x00-\x7f]|%25|%[89a-fA-F][0-9a-fA-F])*"""
)
_IPV6_HOST = re.compile(r"(\[[^\[\]]*\])(:[0-9]*)?")
_NAME_AND_PORT = re.compile(r"([^:]*)(:[0-9]*)?")
_RAW_PATH = re.compile(r"[a-zA-Z0-9\-._~!$&'()*+,;=:@/\[\]%]*", re.ASCII)
_UNESCAPED_IN_PATH = "$&+,/:;=@~"


class Url(NamedTuple):
    """The parts of a URL. `host` has its port and, around an IPv6 address, its brackets."""

    scheme: str
    user: str
    host: str
    path: str
    query: str
    fragment: str


@lru_cache(maxsize=1024)
def parse(text: str) -> Url:
    """The parts of the URL. Raises CallError."""
    parse_request_uri(text)
    scheme, rest = _scheme(text)
    rest, _, fragment = rest.partition("#")
    has_authority = rest.startswith("//") and (bool(scheme) or not rest.startswith("///"))
    return _split(scheme, rest, has_authority=has_authority)._replace(fragment=_escaped(fragment))


def parse_request_uri(text: str) -> None:
    """Raises CallError if `text` is no absolute URI or absolute path. Knows no fragments."""
    if len(text) > _MAX_CHARS:
        raise CallError("the URL is too long")
    if not text or _CONTROL.search(text):
        raise CallError("not a URL: empty, or with control characters")
    scheme, rest = _scheme(text)
    if not scheme and not rest.startswith("/") and rest != "*":
        raise CallError("not a URL: neither an absolute URI nor an absolute path")
    _split(scheme, rest, has_authority=bool(scheme) and rest.startswith("//"))


def _scheme(text: str) -> tuple[str, str]:
    if text.startswith(":"):
        raise CallError("not a URL: the scheme is missing")
    scheme = _SCHEME.match(text)
    return (scheme[0][:-1].lower(), text[scheme.end() :]) if scheme else ("", text)


def _split(scheme: str, rest: str, *, has_authority: bool) -> Url:
    rest, _, query = rest.partition("?")
    if scheme and not rest.startswith("/"):
        return Url(scheme, "", "", "", query, "")  # opaque, such as mailto:someone
    user = host = ""
    if has_authority:
        authority, slash, path = rest[2:].partition("/")
        user, _, host = authority.rpartition("@")
        rest = slash + path
    if not _USER.fullmatch(user):
        raise CallError("not a URL: invalid user information")
    return Url(scheme, _escaped(user), _host(host), _escaped(rest), query, "")


def _host(host: str) -> str:
    form = _IPV6_HOST if host.startswith("[") else _NAME_AND_PORT
    if not form.fullmatch(host) or not _HOST.fullmatch(host):
        raise CallError("not a URL: invalid host or port")
    return unquote_to_bytes(host).decode(errors="replace")


def _escaped(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise CallError("not a URL: invalid escape")
    return text


def _url_of(value: str) -> Url:
    return parse(held(URL, value))


def _url(text: str) -> str:
    parts = parse(text)
    scheme = f"{parts.scheme}:" if parts.scheme else ""
    return hold(URL, scheme + _scheme(text)[1])


def _is_url(text: str) -> bool:
    try:
        parse_request_uri(text)
    except CallError:
        return False
    return True


def _get_hostname(value: str) -> str:
    host = _url_of(value).host
    name = re.sub(r":[0-9]*\Z", "", host)
    return name[1:-1] if name.startswith("[") and name.endswith("]") else name


def _get_port(value: str) -> str:
    port = re.search(r":([0-9]*)\Z", _url_of(value).host)
    return port[1] if port else ""


def _get_escaped_path(value: str) -> str:
    path = _url_of(value).path
    if _RAW_PATH.fullmatch(path):
        return path
    return quote(unquote_to_bytes(path), safe=_UNESCAPED_IN_PATH)


def _get_query(value: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in _url_of(value).query.split("&"):
        if not pair or ";" in pair or _BAD_ESCAPE.search(pair):
            continue  # as Go's URL.Query does
        key, _, text = pair.partition("=")
        found.setdefault(unquote_plus(key), []).append(unquote_plus(text))
    return found


FUNCTIONS = (
    Function("url", "", ("string",), URL, _url),
    Function("isURL", "", ("string",), "bool", _is_url),
    Function("getScheme", URL, (), "string", lambda value: _url_of(value).scheme),
    Function("getHost", URL, (), "string", lambda value: _url_of(value).host),
    Function("getHostname", URL, (), "string", _get_hostname),
    Function("getPort", URL, (), "string", _get_port),
    Function("getEscapedPath", URL, (), "string", _get_escaped_path),
    Function("getQuery", URL, (), "map<string, list<string>>", _get_query),
)
