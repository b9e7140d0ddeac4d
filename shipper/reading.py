"""From the text of a page (YAML) to its values: every mistake at once, by key, value, remedy.

Knows no key: what a page consists of is what its sections say. Opens nothing that the text names.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
import yaml
from msgspec import structs

from shipper.errors import ConfigError
from shipper.page import Duration, Section, Size, parse_duration, parse_size
from shipper.text import cut

_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$")
_SECRET = re.compile(r"(^alerts\b.*\.url|token|secret|password|passphrase)$")
MASK = "***"

_MOST_SHOWN, _MOST_MISTAKES = 80, 100
_UNITS = {
    Duration: "write it like 200ms, 10s, 5m, 2h, 400d",
    Size: "write it like 64KiB, 8MiB, 10GiB",
}
_WORDS = {str: "a text", bool: "true or false", int: "a whole number", Section: "a mapping"}

Page = TypeVar("Page", bound=Section)


class PageError(ConfigError):
    """The page can not be used as it is; says everything that is wrong with it."""

    def __init__(self, mistakes: Iterable[ConfigError], place: str = "") -> None:
        self.mistakes = tuple(mistakes)
        first, begin = self.mistakes[0], f"{place}: " if place else ""
        if len(self.mistakes) == 1:
            super().__init__(f"{begin}{first.message}", remedy=first.remedy)
        else:
            lines = [f"  {one}" for one in self.mistakes]
            super().__init__("\n".join([f"{begin}there are {len(lines)} mistakes:", *lines]))

    def within(self, place: str) -> PageError:
        """The same, with the place where the page stands."""
        return PageError(self.mistakes, place)


class Limit(NamedTuple):
    """The values that a duration or a size may have, both ends included; `words` says so."""

    low: float
    high: float
    words: str


def read(
    text: str, page: type[Page], *, environment: Mapping[str, str], limits: Mapping[str, Limit]
) -> Page:
    """The page in `text`, with `${VAR}` expanded in its text values. `PageError` if it is wrong.

    `limits` are named by the path of their key, with `[]` for a place in a list.
    """
    try:
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 a SafeLoader with duplicates refused
    except (yaml.YAMLError, RecursionError) as error:
        raise PageError([ConfigError(f"not YAML: {' '.join(str(error).split())}")]) from error
    if not isinstance(raw, dict):
        mistake = ConfigError("it is not a mapping", remedy="see config/audit-shipper.yaml")
        raise PageError([mistake])
    reader = _Reader(environment, limits)
    expanded = reader.expand(raw, "")
    reader.look(expanded, page, "")
    if reader.mistakes:
        raise PageError(reader.mistakes)
    return msgspec.convert(expanded, page, dec_hook=_decode)


def shown(path: str, value: Any) -> str:
    """A value as an error may show it: short, on one line, and no secret."""
    return MASK if is_secret(path) else cut(repr(value), _MOST_SHOWN)


def masked(value: Any, path: str = "") -> Any:
    """A page, or a part of it, as it may be shown: with a mask for what may be a secret."""
    if isinstance(value, dict):
        return {key: masked(item, _below(path, key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item, f"{path}[{n}]") for n, item in enumerate(value)]
    return MASK if value and is_secret(path) else value


def is_secret(path: str) -> bool:
    """Whether the value of this key may be one: some receivers' URLs are."""
    return _SECRET.search(path) is not None


class _Reader:
    """Goes through a page and writes down what is wrong; a value with one mistake has no second."""

    def __init__(self, environment: Mapping[str, str], limits: Mapping[str, Limit]) -> None:
        self._environment = environment
        self._limits = limits
        self._spoilt: set[str] = set()
        self.mistakes: list[ConfigError] = []

    def _mistake(self, path: str, says: str, remedy: str = "") -> None:
        if path not in self._spoilt and len(self.mistakes) < _MOST_MISTAKES:
            self.mistakes.append(ConfigError(f"{path}: {says}", remedy=remedy))
        self._spoilt.add(path)

    # ---- variables

    def expand(self, value: Any, path: str) -> Any:
        """The same with its variables replaced."""
        if isinstance(value, dict):
            return {key: self.expand(item, _below(path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expand(item, f"{path}[{n}]") for n, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        return _VARIABLE.sub(lambda match: self._variable(match, value, path), value)

    def _variable(self, match: re.Match[str], value: str, path: str) -> str:
        if match[0] == "$$":
            return "$"
        if match[1] is None:
            says = f"there is a lone $ in {shown(path, value)}"
            self._mistake(path, says, "write $$ for a dollar")
            return "$"
        found = self._environment.get(match[1], match[2])
        if found is None:
            remedy = f"set it, or write ${{{match[1]}:-default}}"
            self._mistake(path, f"the environment has no {match[1]}", remedy)
        return found or ""

    # ---- keys and values

    def look(self, value: Any, kind: Any, path: str) -> None:
        """Look at a value of this kind, and at all within it."""
        if isinstance(value, list) and get_origin(kind) in (tuple, list):
            for n, item in enumerate(value):
                self.look(item, get_args(kind)[0], f"{path}[{n}]")
        elif (
            isinstance(value, dict) and get_origin(kind) is dict and _is_section(get_args(kind)[1])
        ):
            for name, item in value.items():
                self.look(item, get_args(kind)[1], _below(path, name))
        elif isinstance(kind, UnionType) and all(map(_is_section, get_args(kind))):
            self._one_of(value, get_args(kind), path)
        elif _is_section(kind):
            self._section(value, kind, path)
        else:
            self._value(value, kind, path)

    def _one_of(self, value: Any, kinds: Iterable[type[Section]], path: str) -> None:
        types = {str(kind.__struct_config__.tag): kind for kind in kinds}
        if not isinstance(value, dict):
            self._mistake(path, f"{shown(path, value)} is not a mapping", _page_of(path))
        elif value.get("type") not in types:
            given = value.get("type")
            says = f"{shown(path, given)} is not a type" if given else "it is required"
            self._mistake(f"{path}.type", says, f"give one of {', '.join(types)}")
        else:
            self._section(value, types[value["type"]], path)

    def _section(self, value: Any, kind: type[Section], path: str) -> None:
        if not isinstance(value, dict):
            self._mistake(path, f"{shown(path, value)} is not a mapping", _page_of(path))
            return
        hints = get_type_hints(kind, include_extras=True)
        for key, item in value.items():
            if key in hints:
                self.look(item, hints[key], _below(path, key))
            elif key != kind.__struct_config__.tag_field:
                near = difflib.get_close_matches(key, hints, n=1)
                known = f"known: {', '.join(hints)}"
                remedy = f"did you mean {_below(path, near[0])}?" if near else known
                self._mistake(_below(path, key), "unknown key", remedy)
        for field in structs.fields(kind):
            if field.required and field.name not in value:
                wanted = _wanted(hints[field.name])
                self._mistake(_below(path, field.name), "it is required", f"give {wanted}")

    def _value(self, value: Any, kind: Any, path: str) -> None:
        try:
            found = msgspec.convert(value, kind, dec_hook=_decode)
        except msgspec.ValidationError as error:
            says = _what(error, value, kind, path)
            self._mistake(path, says, _UNITS.get(_plain(kind), _page_of(path)))
            return
        limit = self._limits.get(re.sub(r"\[\d+\]", "[]", path))
        if limit is not None and not limit.low <= found <= limit.high:
            says = f"{shown(path, value)} is out of range"
            self._mistake(path, says, f"give a value between {limit.words}")


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _what(error: msgspec.ValidationError, value: Any, kind: Any, path: str) -> str:
    """What is wrong with a value; msgspec's own words where it lies deeper than that."""
    says, _, deeper = str(error).partition(" - at `$")
    if deeper:
        return f"{says} (at {deeper.rstrip('`')})"
    plain = _plain(kind)
    if plain in (Duration, Size):
        return says if isinstance(value, str) else f"{shown(path, value)} has no unit"
    return f"{shown(path, value)} is not {_wanted(kind)}"


def _page_of(path: str) -> str:
    return f"see docs/configuration.md#{re.split('[.[]', path)[0]}"


def _wanted(kind: Any) -> str:
    described = [one.description for one in get_args(kind)[1:] if isinstance(one, msgspec.Meta)]
    if get_origin(kind) is Annotated and described and described[0]:
        return described[0]
    plain = _plain(kind)
    if get_origin(plain) is Literal:
        return f"one of {', '.join(map(repr, get_args(plain)))}"
    if get_origin(plain) in (tuple, list):
        return "a list"
    return _WORDS.get(Section if _is_section(plain) else plain, "of the right form")


def _plain(kind: Any) -> Any:
    """Without annotations, and without the None of an option."""
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (one for one in get_args(kind) if one is not type(None))
    return kind


def _decode(kind: type, value: Any) -> Any:
    parser = {Duration: parse_duration, Size: parse_size}[kind]
    if not isinstance(value, str):
        raise ValueError("no text")  # noqa: TRY004 msgspec adds the key to a ValueError
    try:
        return parser(value)
    except ConfigError as error:
        raise ValueError(error.message) from error


class _Loader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, not a silent choice.

    As in YAML 1.2, its booleans are true and false alone (`mode: off` is text), and a date is text.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML has it
        first: [(tag, form) for tag, form in known if not tag.endswith((":bool", ":timestamp"))]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is no text or stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
