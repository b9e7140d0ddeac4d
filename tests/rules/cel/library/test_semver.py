"""Semantic versions in expressions."""

from __future__ import annotations

import pytest

from tests.rules.cel.asking import ask, refused

TRUE = [
    "isSemver('1.0.0')",
    "isSemver('0.1.0-alpha.1')",
    "isSemver('1.0.0+build.01')",
    "isSemver('v1.0', true)",
    "isSemver('01.01.01', true)",
    "semver('v1.0.0', true) == semver('1.0.0')",
    "semver('1.0', true) == semver('1.0.0')",
    "semver('1', true) == semver('1.0.0')",
    "semver('01.01.01', true) == semver('1.1.1')",
    "semver('1.0.00', true) == semver('1.0.0')",
    "semver('1.0.0+a') == semver('1.0.0+b')",
    "semver('1.2.3').major() == 1",
    "semver('1.2.3').minor() == 2",
    "semver('1.2.3').patch() == 3",
    "semver('1.2.3').compareTo(semver('1.2.3')) == 0",
    "semver('1.2.3').compareTo(semver('2.0.0')) == -1",
    "semver('1.2.3').compareTo(semver('0.1.2')) == 1",
    "semver('1.2.3').isLessThan(semver('1.10.0'))",
    "semver('1.10.0').isGreaterThan(semver('1.9.9'))",
    "semver('1.0.0-alpha').isLessThan(semver('1.0.0'))",
    "semver('1.0.0-alpha').isLessThan(semver('1.0.0-alpha.1'))",
    "semver('1.0.0-alpha.1').isLessThan(semver('1.0.0-alpha.beta'))",
    "semver('1.0.0-alpha.2').isLessThan(semver('1.0.0-alpha.11'))",
    "semver('1.0.0-rc.1').isGreaterThan(semver('1.0.0-beta.11'))",
    "semver(object.version).isGreaterThan(semver('1.0.0'))",
]

NO_VERSIONS = [
    "",
    "1",
    "1.0",
    "v1.0.0",
    "01.0.0",
    "1.0.0-01",
    "1.0.0-",
    "1.0.0+",
    "1.0.0-a..b",
    "200K",
    "Three",
    " 1.0.0",
    "1.0.0\n",
    "1.0.0-" + "a" * 300,
]


@pytest.mark.parametrize("text", TRUE)
def test_versions_compare_as_in_kubernetes(text: str) -> None:
    """What Kubernetes' documentation and semver.org say of a version holds."""
    assert ask(text, object={"version": "1.2.3"}) is True


@pytest.mark.parametrize("text", NO_VERSIONS)
def test_other_texts_are_no_versions(text: str) -> None:
    """A text that is no version is told from one, and refused as one."""
    assert ask("isSemver(object)", object=text) is False
    assert refused("semver(object)", object=text)


@pytest.mark.parametrize("text", ["1.0-rc1", "one", "v"])
def test_normalizing_does_not_take_everything(text: str) -> None:
    """A short version with a pre-release is ambiguous; words are no versions."""
    assert ask("isSemver(object, true)", object=text) is False
    assert refused("semver(object, true)", object=text)


def test_a_version_is_no_quantity() -> None:
    """Both have isGreaterThan; they are told apart, at load or by the data."""
    assert refused("[dyn(semver('1.0.0'))].all(x, x.isGreaterThan(dyn(quantity('1'))))")
    assert ask("[dyn(quantity('2'))].all(x, x.isGreaterThan(dyn(quantity('1'))))") is True
    assert ask("[dyn(semver('2.0.0'))].all(x, x.isGreaterThan(dyn(semver('1.0.0'))))") is True
