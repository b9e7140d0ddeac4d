"""Semantic versions: `semver("1.2.3").isGreaterThan(semver("1.0.0"))`, and `isSemver`.

Source: k8s.io/apiserver/pkg/cel/library/semverlib.go, semver.org 2.0.0. Build metadata does not
count when versions are compared, so it is not kept.
"""

from __future__ import annotations

import re
from functools import lru_cache

from shipper.rules.cel.library.function import SEMVER, CallError, Function, held, hold

_NUMBER = r"(0|[1-9][0-9]{0,18})"
_FORM = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_LEADING_ZEROS = re.compile(r"\A0+(?=[0-9])")
_MAX_CHARS = 256


@lru_cache(maxsize=1024)
def parse(text: str) -> tuple[int, int, int, str]:
    """Major, minor, patch and pre-release. Raises CallError."""
    form = _FORM.fullmatch(text) if len(text) <= _MAX_CHARS else None
    if form is None:
        raise CallError("not a semantic version")
    for part in (form[4] or "").split("."):
        if len(part) > 1 and part.isdigit() and part[0] == "0":
            raise CallError("not a semantic version: leading zero in the pre-release")
    return int(form[1]), int(form[2]), int(form[3]), form[4] or ""


def normalized(text: str) -> str:
    """`text` without a leading v and leading zeros, with minor and patch. Raises CallError."""
    parts = text.removeprefix("v").split(".", 2)
    parts = [_LEADING_ZEROS.sub("", part) for part in parts]
    if len(parts) < 3 and ("+" in parts[-1] or "-" in parts[-1]):
        raise CallError("a short version cannot have a pre-release or build metadata")
    return ".".join(parts + ["0"] * (3 - len(parts)))


def _semver(text: str, normalize: bool = False) -> str:
    major, minor, patch, pre = parse(normalized(text) if normalize else text)
    return hold(SEMVER, f"{major}.{minor}.{patch}" + (f"-{pre}" if pre else ""))


def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        _semver(text, normalize)
    except CallError:
        return False
    return True


def _precedence(value: str) -> tuple[object, ...]:
    *numbers, pre = parse(held(SEMVER, value))
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")]
    return (*numbers, (0, parts) if pre else (1, []))


def compare(value: str, other: str) -> int:
    mine, theirs = _precedence(value), _precedence(other)
    return (mine > theirs) - (mine < theirs)


def _is_greater(value: str, other: str) -> bool:
    return compare(value, other) > 0


def _is_less(value: str, other: str) -> bool:
    return compare(value, other) < 0


FUNCTIONS = (
    Function("semver", "", ("string",), SEMVER, _semver),
    Function("semver", "", ("string", "bool"), SEMVER, _semver),
    Function("isSemver", "", ("string",), "bool", _is_semver),
    Function("isSemver", "", ("string", "bool"), "bool", _is_semver),
    Function("isGreaterThan", SEMVER, (SEMVER,), "bool", _is_greater),
    Function("isLessThan", SEMVER, (SEMVER,), "bool", _is_less),
    Function("compareTo", SEMVER, (SEMVER,), "int", compare),
    Function("major", SEMVER, (), "int", lambda value: parse(held(SEMVER, value))[0]),
    Function("minor", SEMVER, (), "int", lambda value: parse(held(SEMVER, value))[1]),
    Function("patch", SEMVER, (), "int", lambda value: parse(held(SEMVER, value))[2]),
)
