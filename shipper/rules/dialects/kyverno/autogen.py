"""Rules for pods, extended to the controllers that make pods (Kyverno's autogen).

Source: kyverno pkg/autogen/v1. A generated rule is an ordinary rule whose pattern stands in the
template and whose variables are moved there, word by word, as Kyverno moves them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shipper.rules.dialects.kyverno.kinds import names
from shipper.rules.dialects.kyverno.shape import texts

ANNOTATION = "pod-policies.kyverno.io/autogen-controllers"
CRON_JOB = "CronJob"

_KINDS: Mapping[str, str] = {
    "DaemonSet": "apps/*/DaemonSet",
    "Deployment": "apps/*/Deployment",
    "Job": "batch/*/Job",
    "StatefulSet": "apps/*/StatefulSet",
    "ReplicaSet": "apps/*/ReplicaSet",
    "ReplicationController": "v1/ReplicationController",
    CRON_JOB: "batch/*/CronJob",
}
"""As Kyverno has them, but for the version: it once took any."""

_WITH_PODS = frozenset((*_KINDS, "Pod"))
_MAX_NAME_CHARS = 63
_UNSELECTABLE = ("name", "names", "selector", "annotations")
"""What may be true of a pod and not of its controller."""

Rule = Mapping[str, Any]


def generated(spec: Mapping[str, Any], annotations: Mapping[str, Any]) -> list[Rule]:
    """The rules that Kyverno makes for controllers; none where it makes none."""
    rules = [rule for rule in spec.get("rules") or () if isinstance(rule, Mapping)]
    if not _can_generate(rules):
        return []
    asked = annotations.get(ANNOTATION)
    listed = asked.split(",") if isinstance(asked, str) else list(_KINDS)
    controllers = [kind for kind in listed if kind in _KINDS]
    return [made for rule in rules for made in _of_rule(rule, controllers)]


def _can_generate(rules: Sequence[Rule]) -> bool:
    needed = False
    for rule in rules:
        if rule.get("generate"):
            return False
        for block in (*filters(rule.get("match")), *filters(rule.get("exclude"))):
            resources = block.get("resources") or {}
            kinds = texts(resources, "kinds")
            mixed = len(kinds) > 1 and any(names(kind, "Pod") for kind in kinds)
            if mixed or any(resources.get(field) for field in _UNSELECTABLE):
                return False
            needed = needed or not _WITH_PODS.isdisjoint(kinds)
    return needed


def filters(block: Any) -> Iterator[Mapping[str, Any]]:
    """The block itself, and those it lists under any and all."""
    if isinstance(block, Mapping):
        yield block
        for name in ("any", "all"):
            listed = block.get(name)
            if isinstance(listed, list):
                yield from (one for one in listed if isinstance(one, Mapping))


def _kinds(block: Any) -> list[str]:
    return [kind for one in filters(block) for kind in texts(one.get("resources") or {}, "kinds")]


def _of_rule(rule: Rule, controllers: Sequence[str]) -> Iterator[Rule]:
    if not (rule.get("validate") or rule.get("verifyImages")):
        return
    matched, excluded = _kinds(rule.get("match")), _kinds(rule.get("exclude"))
    speaks_of_pods = any(names(kind, "Pod") for kind in matched)
    spares_others = excluded and not any(names(kind, "Pod") for kind in excluded)
    name = str(rule.get("name", ""))
    if name.startswith("autogen-") or not speaks_of_pods or spares_others:
        return
    others = sorted(_KINDS[kind] for kind in controllers if kind != CRON_JOB)
    if others:
        yield _made(rule, f"autogen-{name}", others, ("template",), only_pods=True)
    if CRON_JOB in controllers:
        kinds = [_KINDS[CRON_JOB]]
        steps = ("jobTemplate", "spec", "template")
        yield _made(rule, f"autogen-cronjob-{name}", kinds, steps, only_pods=False)


def _made(
    rule: Rule, name: str, kinds: list[str], steps: tuple[str, ...], *, only_pods: bool
) -> Rule:
    made = {**rule, "name": name[:_MAX_NAME_CHARS]}
    made["match"] = _for_kinds(rule["match"], kinds, only_pods=only_pods, needs_kinds=False)
    if isinstance(rule.get("exclude"), Mapping):
        made["exclude"] = _for_kinds(rule["exclude"], kinds, only_pods=only_pods, needs_kinds=True)
    validate = rule.get("validate")
    if isinstance(validate, Mapping):
        made["validate"] = _wrapped(validate, steps)
    is_cel = isinstance(validate, Mapping) and "cel" in validate
    done: Rule = moved(made, _moves("" if is_cel else "request.", ".".join(("spec", *steps))))
    return done


def _for_kinds(
    block: Mapping[str, Any], kinds: list[str], *, only_pods: bool, needs_kinds: bool
) -> Mapping[str, Any]:
    for combined in ("any", "all"):
        listed = block.get(combined)
        if listed:
            return {**block, combined: [_filter(one, kinds, only_pods) for one in listed]}
    resources = block.get("resources") or {}
    if needs_kinds and not texts(resources, "kinds"):
        return block
    return {**block, "resources": {**resources, "kinds": kinds}}


def _filter(block: Any, kinds: list[str], only_pods: bool) -> Any:
    resources = block.get("resources") or {} if isinstance(block, Mapping) else {}
    if only_pods and not any(names(kind, "Pod") for kind in texts(resources, "kinds")):
        return block
    return {**block, "resources": {**resources, "kinds": kinds}}


def _wrapped(validate: Mapping[str, Any], steps: tuple[str, ...]) -> Mapping[str, Any]:
    def wrap(pattern: Any) -> Any:
        for step in reversed(("spec", *steps)):
            pattern = {step: pattern}
        return pattern

    if validate.get("pattern") is not None:
        return {**validate, "pattern": wrap(validate["pattern"])}
    if isinstance(validate.get("anyPattern"), list):
        return {**validate, "anyPattern": [wrap(one) for one in validate["anyPattern"]]}
    return validate


def _moves(prefix: str, template: str) -> Callable[[str], str]:
    """Where variables look for what a pod has in its spec and metadata."""
    pairs = [
        (f"{prefix}{shown}.{part}", f"{prefix}{shown}.{template}.{part}")
        for part in ("spec", "metadata")
        for shown in ("object", "oldObject")
    ]

    def move(text: str) -> str:
        for old, new in pairs:
            text = text.replace(old, new)
        return text

    return move


def moved(value: Any, move: Callable[[str], str]) -> Any:
    """`value` with `move` done to every text and key."""
    if isinstance(value, str):
        return move(value)
    if isinstance(value, Mapping):
        return {move(key): moved(item, move) for key, item in value.items()}
    return [moved(item, move) for item in value] if isinstance(value, list) else value
