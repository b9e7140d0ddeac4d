"""The functions that Kyverno adds to JMESPath, for the jmespath library.

Source: kyverno pkg/engine/jmespath/functions.go. None needs the cluster, the clock or chance: those
that would are undecided. Regular expressions are RE2's. What a result may grow to is paid before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import posixpath
import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from jmespath import functions

from shipper.rules.cel.library.function import CallError
from shipper.rules.cel.library.regex import capturing
from shipper.rules.dialects.kyverno import arithmetic, certificates, images, times
from shipper.rules.dialects.kyverno.errors import EvaluationError, UndecidedError
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.ranges import in_range
from shipper.rules.dialects.kyverno.scalars import integer, is_number, number, sprint
from shipper.rules.dialects.kyverno.wildcards import matches
from shipper.rules.document import read

_Function = TypeVar("_Function", bound=Callable[..., Any])
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_GROUP = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))", re.ASCII)
_COMPARING = frozenset(("contains", "label_match"))
"""Functions that look into the values they are given."""

_MAX_YAML_CHARS = 64 * 1024
_STEP_CHARS = 64
"""A step's worth of reading text."""


def _takes(*types: str) -> Callable[[_Function], _Function]:
    """The types of the arguments: `string`, `string|number`, `any`."""
    spec = [{"types": [] if kind == "any" else kind.split("|")} for kind in types]
    decorate: Callable[[_Function], _Function] = functions.signature(*spec)
    return decorate


class KyvernoFunctions(functions.Functions):  # type: ignore[misc]  # it is not typed
    """JMESPath's own functions, and Kyverno's; of one question."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def call_function(self, function_name: str, resolved_args: list[Any]) -> Any:
        """The result; reading the arguments and keeping the result are paid for."""
        for argument in resolved_args:
            if isinstance(argument, str):
                self._meter.step(len(argument) // _STEP_CHARS)
            elif isinstance(argument, list | dict):
                self._meter.step(len(argument))
                if function_name in _COMPARING:
                    self._meter.walk(argument)
        if function_name not in self.FUNCTION_TABLE:
            raise UndecidedError(f"the function {function_name[:100]}() is not known here")
        result = super().call_function(function_name, resolved_args)
        if isinstance(result, str):
            self._meter.grow(len(result))
        return result

    # ---- JMESPath's own, where Go's differ or text may grow

    @_takes("any")
    def _func_to_number(self, arg: Any) -> Any:
        if isinstance(arg, str):
            return number(arg) if integer(arg) is None else int(arg)
        return arg if is_number(arg) else None

    @_takes("string", "array-string")
    def _func_join(self, separator: str, array: list[str]) -> str:
        self._meter.grow(len(separator) * len(array))
        return separator.join(array)

    @_takes("any")
    def _func_to_string(self, arg: Any) -> str:
        if isinstance(arg, str):
            return arg
        self._meter.walk(arg)
        return json.dumps(arg, separators=(",", ":"), ensure_ascii=False)

    # ---- texts

    @_takes("string", "string")
    def _func_compare(self, one: str, other: str) -> int:
        return (one > other) - (one < other)

    @_takes("string", "string")
    def _func_equal_fold(self, one: str, other: str) -> bool:
        return one.casefold() == other.casefold()

    @_takes("string", "string", "string", "number")
    def _func_replace(self, text: str, old: str, new: str, count: float) -> str:
        return self._replaced(text, old, new, -1 if count < 0 else int(count))

    @_takes("string", "string", "string")
    def _func_replace_all(self, text: str, old: str, new: str) -> str:
        return self._replaced(text, old, new, -1)

    def _replaced(self, text: str, old: str, new: str, count: int) -> str:
        self._meter.grow(text.count(old) * len(new))
        return text.replace(old, new, count)

    @_takes("string")
    def _func_to_upper(self, text: str) -> str:
        return text.upper()

    @_takes("string")
    def _func_to_lower(self, text: str) -> str:
        return text.lower()

    @_takes("string", "string")
    def _func_trim(self, text: str, cutset: str) -> str:
        return text.strip(cutset) if cutset else text

    @_takes("string", "string")
    def _func_trim_prefix(self, text: str, prefix: str) -> str:
        return text.removeprefix(prefix)

    @_takes("string", "string")
    def _func_split(self, text: str, separator: str) -> list[str]:
        parts = text.split(separator) if separator else list(text)
        self._meter.step(len(parts))
        return parts

    @_takes("string", "number")
    def _func_truncate(self, text: str, length: float) -> str:
        return text[: max(int(length), 0)]

    @_takes("string")
    def _func_to_boolean(self, text: str) -> bool:
        if text.lower() not in ("true", "false"):
            raise EvaluationError("to_boolean() takes 'true' or 'false'")
        return text.lower() == "true"

    @_takes("string")
    def _func_path_canonicalize(self, path: str) -> str:
        return re.sub("^//+", "/", posixpath.normpath(path)) if path else ""

    # ---- patterns

    @_takes("string", "string|number")
    def _func_regex_match(self, pattern: str, text: str | float) -> bool:
        regex, data = self._regex(pattern, text)
        return regex.search(data) is not None

    @_takes("string", "string|number", "string|number")
    def _func_regex_replace_all(self, pattern: str, text: str | float, new: str | float) -> str:
        return self._regex_replaced(pattern, text, sprint(new), expand=True)

    @_takes("string", "string|number", "string|number")
    def _func_regex_replace_all_literal(
        self, pattern: str, text: str | float, new: str | float
    ) -> str:
        return self._regex_replaced(pattern, text, sprint(new), expand=False)

    def _regex(self, pattern: str, text: str | float) -> tuple[Any, bytes]:
        try:
            regex = capturing(pattern)
        except CallError as error:
            too_big = "too" in str(error)
            kind = UndecidedError if too_big else EvaluationError
            raise kind(str(error)) from None
        data = sprint(text).encode(errors="replace")
        self._meter.step(regex.programsize * len(data) // 4096)
        return regex, data

    def _regex_replaced(self, pattern: str, text: str | float, new: str, *, expand: bool) -> str:
        regex, data = self._regex(pattern, text)
        found: list[bytes] = []
        at = 0
        for match in regex.finditer(data):
            self._meter.step()
            self._meter.grow(len(new) + len(match[0]) * new.count("$"))
            put = _expanded(new, match, regex) if expand else new.encode()
            found += [data[at : match.start()], put]
            at = match.end()
        return b"".join([*found, data[at:]]).decode(errors="replace")

    @_takes("string", "string|number")
    def _func_pattern_match(self, pattern: str, text: str | float) -> bool:
        return matches(pattern, sprint(text))

    @_takes("object", "object")
    def _func_label_match(self, labels: dict[str, Any], of: dict[str, Any]) -> bool:
        return all(key in of and of[key] == value for key, value in labels.items())

    # ---- numbers

    @_takes("any", "any")
    def _func_add(self, left: Any, right: Any) -> Any:
        return arithmetic.add(left, right)

    @_takes("array")
    def _func_sum(self, items: list[Any]) -> Any:
        return arithmetic.total(items)

    @_takes("any", "any")
    def _func_subtract(self, left: Any, right: Any) -> Any:
        return arithmetic.subtract(left, right)

    @_takes("any", "any")
    def _func_multiply(self, left: Any, right: Any) -> Any:
        return arithmetic.multiply(left, right)

    @_takes("any", "any")
    def _func_divide(self, left: Any, right: Any) -> Any:
        return arithmetic.divide(left, right)

    @_takes("any", "any")
    def _func_modulo(self, left: Any, right: Any) -> Any:
        return arithmetic.modulo(left, right)

    @_takes("number", "number")
    def _func_round(self, value: float, digits: float) -> float:
        return arithmetic.rounded(value, digits)

    # ---- encodings

    @_takes("string")
    def _func_base64_decode(self, text: str) -> str:
        plain = text.replace("\n", "").replace("\r", "")
        if not _BASE64.fullmatch(plain):
            raise EvaluationError("not base64")
        try:
            return base64.b64decode(plain).decode(errors="replace")
        except binascii.Error:
            raise EvaluationError("not base64") from None

    @_takes("string")
    def _func_base64_encode(self, text: str) -> str:
        return base64.b64encode(text.encode(errors="replace")).decode()

    @_takes("string")
    def _func_sha256(self, text: str) -> str:
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()

    @_takes("string")
    def _func_sha1(self, text: str) -> str:
        return hashlib.sha1(text.encode(errors="replace"), usedforsecurity=False).hexdigest()

    @_takes("string")
    def _func_md5(self, text: str) -> str:
        return hashlib.md5(text.encode(errors="replace"), usedforsecurity=False).hexdigest()

    @_takes("string")
    def _func_parse_json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise EvaluationError("not JSON") from None

    @_takes("string")
    def _func_parse_yaml(self, text: str) -> Any:
        if len(text) > _MAX_YAML_CHARS:
            raise UndecidedError("cost limit: YAML of more than 64 KiB")
        documents, problems = read(text, "")
        if problems or len(documents) > 1:
            raise EvaluationError("not YAML")
        return documents[0].value if documents else None

    @_takes("string")
    def _func_x509_decode(self, text: str) -> dict[str, Any]:
        return certificates.decoded(text)

    # ---- maps and lists

    @_takes("object|array", "string|number")
    def _func_lookup(self, of: Any, key: Any) -> Any:
        if isinstance(of, dict):
            if not isinstance(key, str):
                raise EvaluationError("lookup() of a map takes a text")
            return of.get(key)
        if isinstance(key, str) or key != int(key):
            raise EvaluationError("lookup() of a list takes a whole number")
        return of[int(key)] if 0 <= key < len(of) else None

    @_takes("object|array", "string", "string")
    def _func_items(self, of: Any, key_name: str, value_name: str) -> list[dict[str, Any]]:
        pairs = sorted(of.items()) if isinstance(of, dict) else enumerate(of)
        return [{key_name: key, value_name: value} for key, value in pairs]

    @_takes("array", "array")
    def _func_object_from_lists(self, keys: list[Any], values: list[Any]) -> dict[str, Any]:
        if any(isinstance(key, dict | list) or key is None for key in keys):
            raise EvaluationError("object_from_lists() takes texts as keys")
        padded = values + [None] * (len(keys) - len(values))
        return {sprint(key): value for key, value in zip(keys, padded, strict=False)}

    # ---- versions and images

    @_takes("string", "string")
    def _func_semver_compare(self, version: str, span: str) -> bool:
        return in_range(version, span)

    @_takes("string")
    def _func_image_normalize(self, image: str) -> str:
        return images.parsed(image)["reference"]

    @_takes("string")
    def _func_is_external_url(self, url: str) -> bool:
        try:
            host = ip_address((urlsplit(url).hostname or "").partition("%")[0])
        except ValueError:
            raise UndecidedError("is_external_url() needs the network") from None
        return not (host.is_loopback or host.is_private)

    # ---- time

    @_takes("string", "string", "string")
    def _func_time_since(self, layout: str, first: str, second: str) -> str:
        return times.since(layout, first, second)

    @_takes()
    def _func_time_now(self) -> str:
        return times.clock()

    @_takes()
    def _func_time_now_utc(self) -> str:
        return times.clock()

    @_takes("string", "string")
    def _func_time_add(self, when: str, span: str) -> str:
        return times.plus(when, span)

    @_takes("string", "string")
    def _func_time_parse(self, layout: str, text: str) -> str:
        return times.parse(layout, text)

    @_takes("string")
    def _func_time_to_cron(self, text: str) -> str:
        return times.to_cron(text)

    @_takes("string")
    def _func_time_utc(self, text: str) -> str:
        return times.utc(text)

    @_takes("string", "string")
    def _func_time_diff(self, first: str, second: str) -> str:
        return times.since("", first, second)

    @_takes("string", "string")
    def _func_time_before(self, one: str, other: str) -> bool:
        return times.moment(one) < times.moment(other)

    @_takes("string", "string")
    def _func_time_after(self, one: str, other: str) -> bool:
        return times.moment(one) > times.moment(other)

    @_takes("string", "string", "string")
    def _func_time_between(self, when: str, start: str, end: str) -> bool:
        return times.moment(start) < times.moment(when) < times.moment(end)

    @_takes("string", "string")
    def _func_time_truncate(self, when: str, span: str) -> str:
        return times.truncated(when, span)

    @_takes("string")
    def _func_random(self, _pattern: str) -> NoReturn:
        raise UndecidedError("random() is decided by chance")


UNDECIDED = frozenset(("random", "time_now", "time_now_utc"))
"""Functions that nothing can answer here."""

NAMES = frozenset(KyvernoFunctions.FUNCTION_TABLE)
"""Every function that there is."""


def _expanded(new: str, match: Any, regex: Any) -> bytes:
    """Go's `$1` and `${name}`; a group that there is not is empty."""

    def group(form: re.Match[str]) -> str:
        if form[3]:
            return "$"
        name = form[1] or form[2]
        at = int(name) if name.isdigit() and len(name) < 4 else regex.groupindex.get(name)
        known = at is not None and at <= regex.groups
        return (match[at] or b"").decode(errors="replace") if known else ""

    return _GROUP.sub(group, new).encode(errors="replace")
