"""Named formats: `format.dns1123Label().validate(name)`, `format.named("uuid")`.

`validate` gives what is wrong, or `optional.none()`. Source:
k8s.io/apiserver/pkg/cel/library/format.go; the patterns are those of
k8s.io/apimachinery/pkg/util/validation and of kube-openapi's strfmt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from shipper.rules.cel.library import url
from shipper.rules.cel.library.function import FORMAT, CallError, Function, held, hold

Check = Callable[[str], list[str]]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _pattern(pattern: str, message: str, *, max_chars: int | None = None) -> Check:
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> list[str]:
        if max_chars is not None and len(text.encode()) > max_chars:
            return [f"must be no more than {max_chars} bytes"]
        return [] if compiled.fullmatch(text) else [message]

    return check


def _prefix(check: Check) -> Check:
    """The text may end in a dash: something generated will follow."""
    return lambda text: check(text[:-2] + "a" if len(text) > 1 and text[-1] == "-" else text)


_dns1123_label = _pattern(
    _LABEL,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    max_chars=63,
)
_dns1123_subdomain = _pattern(
    rf"{_LABEL}(\.{_LABEL})*",
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character",
    max_chars=253,
)
_dns1035_label = _pattern(
    r"[a-z]([-a-z0-9]*[a-z0-9])?",
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character",
    max_chars=63,
)
_NAME_MESSAGE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character"
)
_qualified_part = _pattern(
    r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", f"name part {_NAME_MESSAGE}", max_chars=63
)
_label_value = _pattern(
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
    f"a valid label must be an empty string or {_NAME_MESSAGE}",
    max_chars=63,
)
_uuid = _pattern(
    r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}",
    "does not match the UUID format",
)
_byte = _pattern(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})",
    "invalid base64",
)


def _qualified_name(text: str) -> list[str]:
    prefix, slash, name = text.rpartition("/")
    if not slash:
        return _qualified_part(name)
    return [f"prefix part {problem}" for problem in _dns1123_subdomain(prefix)] + (
        _qualified_part(name)
    )


def _uri(text: str) -> list[str]:
    try:
        url.parse_request_uri(text)
    except CallError as error:
        return [str(error)]
    return []


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _date(text: str) -> list[str]:
    return [] if _is_date(text) else ["invalid date"]


def _datetime(text: str) -> list[str]:
    day, _, rest = text.lower().partition("t")
    time = _TIME.fullmatch(rest)
    if time and _is_date(day) and time[1] <= "23" and time[2] <= "59" and time[3] <= "59":
        return []
    return ["invalid datetime"]


CHECKS: dict[str, Check] = {
    "dns1123Label": _dns1123_label,
    "dns1123Subdomain": _dns1123_subdomain,
    "dns1035Label": _dns1035_label,
    "qualifiedName": _qualified_name,
    "dns1123LabelPrefix": _prefix(_dns1123_label),
    "dns1123SubdomainPrefix": _prefix(_dns1123_subdomain),
    "dns1035LabelPrefix": _prefix(_dns1035_label),
    "labelValue": _label_value,
    "uri": _uri,
    "uuid": _uuid,
    "byte": _byte,
    "date": _date,
    "datetime": _datetime,
}


def _named(name: str) -> str:
    return hold(FORMAT, name) if name in CHECKS else ""


def _validate(value: str, text: str) -> list[str]:
    return CHECKS[held(FORMAT, value)](text)


def _constant(name: str) -> Function:
    return Function(f"format.{name}", "", (), FORMAT, lambda: hold(FORMAT, name))


FUNCTIONS = (
    *map(_constant, CHECKS),
    Function("format.named", "", ("string",), FORMAT, _named, optional=True),
    Function("validate", FORMAT, ("string",), "list<string>", _validate, optional=True),
)
