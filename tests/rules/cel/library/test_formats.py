"""Named formats in expressions."""

from __future__ import annotations

import pytest

from shipper.rules.cel import CompileError
from tests.rules.cel.asking import ENVIRONMENT, ask, refused

VALID = [
    ("dns1123Label", "my-label-name"),
    ("dns1123Label", "1"),
    ("dns1123Subdomain", "apiextensions.k8s.io"),
    ("dns1035Label", "my-label-name"),
    ("qualifiedName", "apiextensions.k8s.io/v1beta1"),
    ("qualifiedName", "Name_with.all-1"),
    ("dns1123LabelPrefix", "my-label-prefix-"),
    ("dns1123SubdomainPrefix", "mysubdomain.prefix.x-"),
    ("dns1035LabelPrefix", "my-label-prefix-"),
    ("labelValue", ""),
    ("labelValue", "A_b.c-1"),
    ("uri", "http://example.com"),
    ("uri", "/path"),
    ("uuid", "123e4567-e89b-12d3-a456-426614174000"),
    ("uuid", "123E4567E89B12D3A456426614174000"),
    ("byte", "aGVsbG8="),
    ("date", "2021-01-01"),
    ("datetime", "2021-01-01T00:00:00Z"),
    ("datetime", "2021-01-01t23:59:59.999+01:00"),
]

INVALID = [
    ("dns1123Label", "My-label"),
    ("dns1123Label", "-a"),
    ("dns1123Label", "a."),
    ("dns1123Label", "a" * 64),
    ("dns1123Label", "a\n"),
    ("dns1123Subdomain", "a..b"),
    ("dns1123Subdomain", "a" * 254),
    ("dns1035Label", "1abc"),
    ("qualifiedName", ""),
    ("qualifiedName", "/name"),
    ("qualifiedName", "a/b/c"),
    ("qualifiedName", "UPPER/name"),
    ("dns1123LabelPrefix", "-"),
    ("labelValue", "-a"),
    ("labelValue", "a" * 64),
    ("uri", "example.com"),
    ("uuid", "123e4567"),
    ("byte", "aGVsbG8"),
    ("byte", ""),
    ("date", "2021-13-01"),
    ("date", "20210101"),
    ("datetime", "2021-01-01"),
    ("datetime", "2021-01-01T24:00:00Z"),
    ("datetime", "2021-01-01T00:00:00"),
]


@pytest.mark.parametrize(("name", "value"), VALID)
def test_a_valid_text_has_nothing_wrong(name: str, value: str) -> None:
    """`validate` gives `optional.none()` for a text of the format, by either way to name it."""
    assert ask(f"format.{name}().validate(object).hasValue()", object=value) is False
    named = f"format.named('{name}').value().validate(object).hasValue()"
    assert ask(named, object=value) is False


@pytest.mark.parametrize(("name", "value"), INVALID)
def test_an_invalid_text_is_told_what_is_wrong(name: str, value: str) -> None:
    """`validate` gives a list of what is wrong, and does not repeat the text."""
    wrong = ask(f"format.{name}().validate(object).value()", object=value)
    assert wrong
    assert not any(len(value) > 5 and value in one for one in wrong)


def test_an_unknown_name_is_no_format() -> None:
    """By `named` it is none; as a function it is refused at load."""
    assert ask("format.named('nonsense').hasValue()") is False
    with pytest.raises(CompileError, match="undeclared reference"):
        ENVIRONMENT.compile("format.nonsense().validate('a').hasValue()")


def test_what_is_no_text_is_an_error() -> None:
    """A wrong type in an event is neither valid nor invalid."""
    assert refused("format.uuid().validate(object).hasValue()", object=5)
