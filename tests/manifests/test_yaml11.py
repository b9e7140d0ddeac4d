"""`shipper/manifests/yaml11.py`: what kubectl makes of YAML."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.manifests import yaml11
from shipper.rules.document import read

PLAIN: dict[str, Any] = {
    "yes": True, "On": True, "y": True, "true": True, "no": False, "OFF": False, "n": False,
    "": None, "~": None, "Null": None, "yEs": "yEs", "0": 0, "12": 12, "-3": -3, "+4": 4,
    "0644": 420, "0o17": 15, "0x1F": 31, "0b101": 5, "1_000": 1000, "08": 8.0, "1.5": 1.5,
    ".5": 0.5, "1e3": 1000.0, "1e9999": "1e9999", "100m": "100m", "1Gi": "1Gi",
    "2026-01-01": "2026-01-01", "-": "-", "_1": "_1", "18446744073709551615": 2**64 - 1,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), PLAIN.items())
def test_plain_texts_mean_what_they_mean_to_kubectl(text: str, value: Any) -> None:
    """Booleans of YAML 1.1, octal and binary numbers, underscores; everything else is text."""
    found = yaml11.plain(text)
    assert found == value
    assert type(found) is type(value)


def test_a_number_beyond_64_bits_is_a_double() -> None:
    """As JSON has it, so that nothing behind it fails."""
    for text in ("99999999999999999999", "-9223372036854775809"):
        assert yaml11.plain(text) == float(text)
        assert isinstance(yaml11.plain(text), float)


def merged(text: str) -> Any:
    (document,), problems = read(text, "f", schema=yaml11.KUBECTL)
    assert problems == []
    yaml11.merge(document.value)
    return document.value


def test_merges_are_carried_out() -> None:
    """A key of one's own goes first, then the mappings in their order; merges of merges too."""
    value = merged(
        "a: &a {x: 1, v: 1}\nb: &b {<<: *a, v: 2}\nc: {<<: [*b, {z: 3, x: 9}], w: 0}\nd: [{<<: *a}]"
    )
    assert value["b"] == {"x": 1, "v": 2}
    assert value["c"] == {"w": 0, "x": 1, "v": 2, "z": 3}
    assert value["d"] == [{"x": 1, "v": 1}]


def test_keys_are_texts() -> None:
    """A port or a switch as a key is its text, as in JSON."""
    assert merged("{8080: a, on: b, 1.5: c, text: d}") == {
        "8080": "a", "true": "b", "1.5": "c", "text": "d",
    }  # fmt: skip


def test_merges_that_mean_nothing_or_too_much_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text can not be merged; a tower of merges ends at the limit."""
    with pytest.raises(yaml11.MergeError, match="mappings only"):
        merged("a: {<<: text}")
    monkeypatch.setattr(yaml11, "MAX_MERGED", 1000)
    tower = "a0: &a0 {k: 0}\n" + "".join(
        f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 0}}\n" for n in range(1, 60)
    )
    with pytest.raises(yaml11.MergeError, match="1,000"):
        merged(tower)
