"""`validate.podSecurity`: the Pod Security Standards, with controls that are excluded.

Source: kyverno pkg/pss/evaluate.go. An exclusion takes violations of a control out: those of the
pod itself, or, where it names images, those of the containers with such images; of one field and of
the values named, where it names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shipper.rules.dialects.kyverno.checks import PASS, SKIP, Result, deleted
from shipper.rules.dialects.kyverno.errors import EvaluationError, UndecidedError
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.pods import CONTAINERS, POD_SPECS, under
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.shape import texts
from shipper.rules.dialects.kyverno.standards import (
    CHECKS,
    CONTROLS,
    LATEST,
    Pod,
    Version,
    Violation,
    violations,
)
from shipper.rules.dialects.kyverno.variables import Document
from shipper.rules.dialects.kyverno.wildcards import matches_any
from shipper.rules.dialects.policy import Path
from shipper.rules.terms import UNBOUND

_VERSION = re.compile(r"v1\.(\d{1,4})")
_FAKE = {"name": "fake"}
_STEPS = 20
"""Of all checks, for one container."""


class Exclusion(NamedTuple):
    """A control that need not hold. No images: of the pod itself. Raises ValueError."""

    control: str
    images: Sequence[str]
    field: str
    values: Sequence[str]

    @classmethod
    def of(cls, written: Any) -> Exclusion:
        """As the policy has it."""
        if not isinstance(written, Mapping) or written.get("controlName") not in CONTROLS:
            raise ValueError(f"exclude needs a controlName: {', '.join(sorted(CONTROLS))}")
        return cls(
            written["controlName"],
            texts(written, "images"),
            str(written.get("restrictedField") or ""),
            texts(written, "values"),
        )


class PodSecurity:
    """A level, a version, and what is excluded. Raises ValueError."""

    documents: Iterator[Document] = iter(())
    skips_deletions = True
    unanswerable: Iterable[str] = ()

    def __init__(self, written: Any) -> None:
        level = written.get("level") if isinstance(written, Mapping) else None
        if level not in ("privileged", "baseline", "restricted"):
            raise ValueError("podSecurity needs a level: privileged, baseline or restricted")
        self._level: str = level
        self._version = _version(written.get("version"))
        self._exclusions = [Exclusion.of(one) for one in written.get("exclude") or ()]

    def ask(self, question: Question, more: Sequence[Exclusion] = ()) -> Result:
        """Whether the pod is as the standard has it; `more`: exclusions of policy exceptions."""
        if deleted(question):
            return SKIP
        if question.subject.review.object is UNBOUND:
            raise UndecidedError("the object is not in the record")
        pod, place = _pod(question.subject.review.object, question.subject.kind)
        if self._level == "privileged":
            return PASS
        exclusions = (*self._exclusions, *more)
        question.meter.step(_STEPS * (1 + len(exclusions)) * sum(1 for _ in pod.containers()))
        left = self._violations(pod)
        for exclusion in exclusions:
            left = self._without(left, exclusion, pod, question.meter)
        if not left:
            return PASS
        first = next(iter(left.values()))[0]
        message = f"violates PodSecurity {self._level}: {', '.join(sorted(left))}"
        return Result("fail", message, _placed(first.path, place))

    def _violations(self, pod: Pod) -> dict[str, list[Violation]]:
        return violations(pod, restricted=self._level == "restricted", version=self._version)

    def _without(
        self, left: dict[str, list[Violation]], exclusion: Exclusion, pod: Pod, meter: Meter
    ) -> dict[str, list[Violation]]:
        excluded, alike = _excluded_pod(pod, exclusion.images)
        excused = self._violations(excluded)
        for check in CHECKS:
            if check.control != exclusion.control or check.name not in left:
                continue
            rest = list(left[check.name])
            for violation in excused.get(check.name, ()):
                if _is_meant(violation, exclusion):
                    meter.step(1 + len(rest))
                    _take_out(rest, violation, alike)
            left = {**left, check.name: rest} if rest else _less(left, check.name)
        return left


def _less(left: Mapping[str, list[Violation]], name: str) -> dict[str, list[Violation]]:
    return {key: value for key, value in left.items() if key != name}


def _version(written: Any) -> Version:
    if written in (None, "", "latest"):
        return LATEST
    form = _VERSION.fullmatch(str(written))
    if form is None:
        raise ValueError("podSecurity.version must be latest or v1.<minor>")
    return 1, int(form[1])


def _pod(value: Any, kind: str) -> tuple[Pod, Path]:
    """The pod in an object, and where its spec stands. `kind`: where the object does not say."""
    own = value.get("kind") if isinstance(value, Mapping) else None
    path = POD_SPECS.get(own if isinstance(own, str) else kind)
    if path is None:
        raise EvaluationError("podSecurity: the object is no pod, and no controller of pods")
    spec, metadata = under(value, path), under(value, (*path[:-1], "metadata"))
    return Pod(
        metadata if isinstance(metadata, Mapping) else {}, spec if isinstance(spec, Mapping) else {}
    ), path


def _placed(path: Path, spec: Path) -> Path:
    return (*spec, *path[1:]) if path[:1] == ("spec",) else (*spec[:-1], *path)


def _excluded_pod(pod: Pod, images: Sequence[str]) -> tuple[Pod, Mapping[Path, Path] | None]:
    """What the exclusion is about, and where each of its containers stands in the pod itself.

    Without images: the pod without its containers (None: their place does not count).
    """
    if not images:
        spec = {key: value for key, value in pod.spec.items() if key not in CONTAINERS}
        return Pod(pod.metadata, {**spec, "containers": [_FAKE]}), None
    chosen: dict[str, list[Any]] = {}
    places: dict[Path, Path] = {}
    for path, container in pod.containers():
        if matches_any(images, str(container.get("image", ""))):
            group = chosen.setdefault(str(path[1]), [])
            places["spec", path[1], len(group)] = path
            group.append(container)
    return Pod({}, chosen), places


def _is_meant(violation: Violation, exclusion: Exclusion) -> bool:
    if exclusion.field and _field(violation.path) != exclusion.field:
        return False
    return not exclusion.values or all(
        matches_any(exclusion.values, value) for value in violation.values
    )


def _take_out(
    left: list[Violation], excused: Violation, places: Mapping[Path, Path] | None
) -> None:
    """The one violation of the pod that is meant."""
    path = excused.path
    if places is not None and path[:3] in places:
        path = (*places[path[:3]], *path[3:])
        found = next((one for one in left if _alike(one.path, path)), None)
    else:
        found = next((one for one in left if _field(one.path) == _field(path)), None)
    if found is not None:
        left.remove(found)


def _alike(one: Path, other: Path) -> bool:
    """In the same container, the same field (of whatever port)."""
    return one[:3] == other[:3] and _field(one) == _field(other)


def _field(path: Path) -> str:
    """As policies name it: `spec.containers[*].ports[*].hostPort`."""
    text = ""
    for step in path:
        text += "[*]" if isinstance(step, int) else f".{step}" if text else step
    return text
