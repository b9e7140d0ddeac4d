"""Which languages there are, and what their documents look like.

Imports a language when a document of it is met: nobody pays for those that he does not use. Reads
nothing but what tells documents apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from shipper.rules.dialects.detection import Translator
from shipper.rules.dialects.policy import Dialect
from shipper.rules.dialects.shapes import is_falco, is_sigma


class Admission(NamedTuple):
    """An admission language: its name for people, and the API groups of its objects."""

    name: str
    groups: frozenset[str]
    make: Callable[[], Dialect]


class Detection(NamedTuple):
    """A detection language: its name for people, and whether a document's value is of it."""

    name: str
    reads: Callable[[Any], bool]
    make: Callable[[], Translator]


def _vap() -> Dialect:
    from shipper.rules.dialects.vap import Vap

    return Vap()


def _gatekeeper() -> Dialect:
    from shipper.rules.dialects.gatekeeper import Gatekeeper

    return Gatekeeper()


def _kyverno() -> Dialect:
    from shipper.rules.dialects.kyverno import Kyverno

    return Kyverno()


ADMISSION: tuple[Admission, ...] = (
    Admission("ValidatingAdmissionPolicy", frozenset({"admissionregistration.k8s.io"}), _vap),
    Admission(
        "Gatekeeper",
        frozenset({"templates.gatekeeper.sh", "constraints.gatekeeper.sh", "config.gatekeeper.sh"}),
        _gatekeeper,
    ),
    Admission("Kyverno", frozenset({"kyverno.io", "policies.kyverno.io"}), _kyverno),
)


def _falco() -> Translator:
    from shipper.rules.dialects.falco.translate import Falco

    return Falco()


def _sigma() -> Translator:
    from shipper.rules.dialects.sigma.translate import Sigma

    return Sigma()


DETECTION = (
    Detection("Falco", is_falco, _falco),
    Detection("Sigma", is_sigma, _sigma),
)


def group_of(value: Mapping[str, Any]) -> str:
    """The API group of an object; "" is the core group."""
    version = value.get("apiVersion")
    return version.rpartition("/")[0] if isinstance(version, str) else ""


def groups() -> frozenset[str]:
    """The API groups of all admission languages."""
    return frozenset(group for one in ADMISSION for group in one.groups)


def language_of(group: str) -> str:
    """The name of the admission language whose objects are of this API group; "" if none is."""
    return next((one.name for one in ADMISSION if group in one.groups), "")


def detection_of(value: Any) -> Detection | None:
    """The detection language of a document with this value."""
    return next((one for one in DETECTION if one.reads(value)), None)


def dialects(groups: Iterable[str]) -> list[Dialect]:
    """A new dialect of each admission language that reads objects of these API groups."""
    met = frozenset(groups)
    return [one.make() for one in ADMISSION if met & one.groups]
