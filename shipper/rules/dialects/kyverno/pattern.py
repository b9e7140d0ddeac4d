"""`validate.pattern`: an overlay that the object must satisfy, compiled once to a tree of tests.

Source: kyverno pkg/engine/validate and pkg/engine/anchor/handlers.go. A mismatch is a value, not an
exception: whether it fails the rule, or means that the rule does not speak of the object, depends
on the anchors above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from shipper.rules.dialects.kyverno.anchors import Anchor, anchor
from shipper.rules.dialects.kyverno.leaf import leaf
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.wildcards import has_wildcard, matches
from shipper.rules.dialects.policy import Path


class Mismatch(NamedTuple):
    """Why a pattern does not hold, and where.

    `fail`: the object is not as it must be. `anchor`: a condition does not hold, so the pattern
    does not apply. `skip`: nothing below applied.
    """

    kind: Literal["fail", "anchor", "skip"]
    path: Path
    reason: str

    @property
    def skips(self) -> bool:
        """Whether the pattern does not apply, rather than fails."""
        return self.kind != "fail"


Match = Callable[[Any, Path, Meter], Mismatch | None]
"""(value, its path, meter) -> None where the pattern holds."""


def compiled(pattern: Any) -> Match:
    """The test that `pattern` (with its variables filled in) stands for."""
    if isinstance(pattern, dict):
        return _Map(pattern) if not _expands(pattern) else _expanding(pattern)
    if isinstance(pattern, list):
        return _list(pattern)
    return _leaf(pattern)


def _leaf(pattern: Any) -> Match:
    test = leaf(pattern)

    def match(value: Any, path: Path, meter: Meter) -> Mismatch | None:
        if isinstance(value, list):
            meter.step(len(value))
            if all(test(item) for item in value):
                return None
        elif test(value):
            return None
        return Mismatch("fail", path, f"the value is not {pattern!r}"[:200])

    return match


def _list(pattern: list[Any]) -> Match:
    if not pattern:
        return lambda _value, path, _meter: Mismatch("fail", path, "the pattern is an empty list")
    first = compiled(pattern[0])
    if isinstance(pattern[0], dict):
        return lambda value, path, meter: _each(first, value, path, meter)
    if not isinstance(pattern[0], list):
        return lambda value, path, meter: _of_list(value, path) or first(value, path, meter)
    tests = [compiled(item) for item in pattern]
    return lambda value, path, meter: _one_by_one(tests, value, path, meter)


def _of_list(value: Any, path: Path) -> Mismatch | None:
    return None if isinstance(value, list) else Mismatch("fail", path, "must be a list")


def _each(test: Match, value: Any, path: Path, meter: Meter) -> Mismatch | None:
    if not isinstance(value, list):
        return Mismatch("fail", path, "must be a list")
    return _together(((test, item) for item in value), path, meter)


def _one_by_one(tests: list[Match], value: Any, path: Path, meter: Meter) -> Mismatch | None:
    if not isinstance(value, list) or len(value) < len(tests):
        return Mismatch("fail", path, f"must be a list of at least {len(tests)}")
    return _together(zip(tests, value, strict=False), path, meter)


def _together(pairs: Iterable[tuple[Match, Any]], path: Path, meter: Meter) -> Mismatch | None:
    """Fails with the first failure; does not apply if it applies to none of some."""
    skipped: Mismatch | None = None
    applied = False
    for at, (test, item) in enumerate(pairs):
        meter.step()
        missed = test(item, (*path, at), meter)
        if missed is None:
            applied = True
        elif missed.skips:
            skipped = missed
        else:
            return missed
    return None if applied or skipped is None else Mismatch("skip", path, skipped.reason)


class _Map:
    """Anchors first, in the order of their names; then what must hold where they apply."""

    def __init__(self, pattern: Mapping[str, Any]) -> None:
        keys = [(anchor(key), key) for key in sorted(pattern)]
        anchored = [(mark, key) for mark, key in keys if mark.kind in ("", "=", "^", "X")]
        plain = [(mark, key) for mark, key in keys if mark.kind in (None, "<")]
        self._anchors = [_member(mark, pattern[key]) for mark, key in anchored]
        early = [pair for pair in plain if pair[0].kind == "<" or _has_anchors(pattern[pair[1]])]
        late = [pair for pair in plain if pair not in early]
        self._plain = [_member(mark, pattern[key]) for mark, key in (*reversed(early), *late)]

    def __call__(self, value: Any, path: Path, meter: Meter) -> Mismatch | None:
        if not isinstance(value, dict):
            return Mismatch("fail", path, "must be a map")
        meter.step()
        if self._anchors:
            missed = self._anchored(value, path, meter)
            if missed is not None:
                return missed
        for test in self._plain:
            missed = test(value, path, meter)
            if missed is not None:
                return missed
        return None

    def _anchored(self, value: Any, path: Path, meter: Meter) -> Mismatch | None:
        skipped: list[Mismatch] = []
        applied = False
        for test in self._anchors:
            missed = test(value, path, meter)
            if missed is None:
                applied = True
            elif missed.skips:
                skipped.append(missed)
            elif not any(one.kind == "anchor" for one in skipped):
                return missed
        if skipped and (not applied or any(one.kind == "anchor" for one in skipped)):
            return Mismatch("skip", path, skipped[0].reason)
        return None


def _member(mark: Anchor, pattern: Any) -> Match:
    """The test of one key, asked of the map that holds it."""
    key = mark.key
    if mark.kind == "X":
        return lambda value, path, _meter: (
            Mismatch("fail", (*path, key), "must not be set") if key in value else None
        )
    if mark.kind == "^":
        return _existence(key, pattern)
    if mark.kind is None and pattern == "*":
        return lambda value, path, _meter: (
            Mismatch("fail", (*path, key), "must be set") if value.get(key) is None else None
        )
    test = compiled(pattern)
    if mark.kind is None:
        return lambda value, path, meter: test(value.get(key), (*path, key), meter)
    if mark.kind == "=":
        return lambda value, path, meter: (
            test(value[key], (*path, key), meter) if key in value else None
        )
    return _condition(key, test, absent_skips=mark.kind == "")


def _condition(key: str, test: Match, *, absent_skips: bool) -> Match:
    def match(value: Any, path: Path, meter: Meter) -> Mismatch | None:
        if key not in value:
            reason = f"the condition's key {key} is not set"
            return Mismatch("anchor", (*path, key), reason) if absent_skips else None
        missed = test(value[key], (*path, key), meter)
        return missed and Mismatch("anchor", missed.path, f"the condition on {key} does not hold")

    return match


def _existence(key: str, pattern: Any) -> Match:
    if not isinstance(pattern, list) or not all(isinstance(item, dict) for item in pattern):
        wrong = "the pattern of ^() must be a list of maps"
        return lambda value, path, _meter: (
            Mismatch("fail", (*path, key), wrong) if key in value else None
        )
    tests = [compiled(item) for item in pattern]

    def match(value: Any, path: Path, meter: Meter) -> Mismatch | None:
        if key not in value:
            return None
        below, items = (*path, key), value[key]
        if not isinstance(items, list):
            return Mismatch("fail", below, "must be a list")
        for test in tests:
            meter.step(len(items))
            if not any(test(item, (*below, at), meter) is None for at, item in enumerate(items)):
                return Mismatch("fail", below, "none of the list is as it must be")
        return None

    return match


def _has_anchors(pattern: Any) -> bool:
    if isinstance(pattern, dict):
        own = any(anchor(key).kind is not None for key in pattern)
        return own or any(map(_has_anchors, pattern.values()))
    return isinstance(pattern, list) and any(map(_has_anchors, pattern))


# ---- wildcards in the keys of labels and annotations


_TAGS = ("labels", "annotations")


def _tags(pattern: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(key of metadata, key of labels or annotations, which of them) as the pattern has them."""
    for key, metadata in pattern.items():
        if anchor(key).key == "metadata" and isinstance(metadata, dict):
            for tag_key, tags in metadata.items():
                if anchor(tag_key).key in _TAGS and isinstance(tags, dict):
                    yield key, tag_key, anchor(tag_key).key


def _expands(pattern: Mapping[str, Any]) -> bool:
    return any(
        has_wildcard(name) or not isinstance(value, str)
        for key, tag_key, _ in _tags(pattern)
        for name, value in pattern[key][tag_key].items()
    )


def _expanding(pattern: Mapping[str, Any]) -> Match:
    """What keys with wildcards stand for, only the object says."""
    unexpanded = _Map(pattern)

    def match(value: Any, path: Path, meter: Meter) -> Mismatch | None:
        metadata = value.get("metadata") if isinstance(value, dict) else None
        if not isinstance(metadata, dict):
            return unexpanded(value, path, meter)
        filled = {
            key: dict(item) if isinstance(item, dict) else item for key, item in pattern.items()
        }
        for key, tag_key, tag in _tags(pattern):
            if isinstance(metadata.get(tag), dict):
                filled[key][tag_key] = _filled(pattern[key][tag_key], metadata[tag], meter)
        return _Map(filled)(value, path, meter)

    return match


def _filled(tags: Mapping[str, Any], there: Mapping[str, Any], meter: Meter) -> dict[str, Any]:
    """Keys with wildcards replaced by the first key of the object that matches them."""
    meter.step(1 + len(tags) * len(there))
    filled = {}
    for key, value in tags.items():
        if isinstance(value, str):
            mark = anchor(key)
            name = next((name for name in there if matches(mark.key, name)), mark.key)
            filled[str(Anchor(mark.kind, name))] = value
    return filled
