"""What to change, as a diff."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shipper.backtest.change import MAX_COLUMNS, MAX_LINES, change, drawn
from shipper.rules.dialects.policy import Policy, Verdict
from shipper.rules.dialects.review import Review, Target
from tests.backtest.support import tried
from tests.rules.dialects.tiny import RULE, demand

POD = {
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "containers": [
            {"name": "sidecar", "image": "b:2"},
            {"name": "app", "image": "a:latest", "securityContext": {"privileged": True}},
        ]
    },
}


def review(value: Any = POD) -> Review:
    target = Target("CREATE", "", "v1", "pods", "", "Pod")
    return Review(target=target, namespace="shop", name="web", identity=None, object=value)


class Unprivileged:
    """A policy that says what is wrong, but not where."""

    def __init__(self, policy: Policy) -> None:
        self.ident, self.source, self.action = policy.ident, policy.source, policy.action
        self.parts, self.unanswerable = policy.parts, policy.unanswerable

    def may_concern(self, target: Target) -> bool:
        return target.resource == "pods"

    def judge(self, review: Review) -> Sequence[Verdict]:
        privileged = b'"privileged":true' in msgspec.json.encode(review.object)
        return [Verdict("pass", "other"), Verdict("fail" if privileged else "pass", "privileged")]


@pytest.fixture
def policy(tmp_path: Path, tiny: None) -> Policy:
    return tried(tmp_path, demand()).policies.policies[0]


def test_the_place_is_the_policys_word(policy: Policy) -> None:
    """Drawn with what leads to it, a list's element by its name."""
    verdict = Verdict("fail", RULE, path=("spec", "containers", 1, "image"))
    assert change(policy, verdict, review()) == (
        "@@ spec.containers[1].image",
        " spec:",
        "   containers:",
        "   - name: app",
        "-    image: a:latest",
    )


def test_what_is_missing_is_to_be_added(policy: Policy) -> None:
    """As deep as the object goes."""
    verdict = Verdict("fail", RULE, path=("metadata", "labels", "team"))
    assert change(policy, verdict, review())[-1] == "+    team: …"
    verdict = Verdict("fail", RULE, path=("spec", "containers", 0, "resources", "limits"))
    assert change(policy, verdict, review())[-2:] == ("   - name: sidecar", "+    resources: …")


def test_without_a_place_the_policy_is_asked_again(policy: Policy) -> None:
    """The field without which it passes is the one to change."""
    found = change(Unprivileged(policy), Verdict("fail", "privileged"), review())
    assert found == (
        "@@ spec.containers[1].securityContext.privileged",
        " spec:",
        "   containers:",
        "   - name: app",
        "     securityContext:",
        "-      privileged: true",
    )


def test_what_nobody_knows_is_not_drawn(policy: Policy) -> None:
    """A missing label that the policy does not place; a deletion."""
    assert change(policy, Verdict("fail", RULE), review()) == ()
    assert change(policy, Verdict("fail", RULE, path=("spec",)), review(None)) == ()


def test_a_hostile_object_is_drawn_harmlessly(policy: Policy) -> None:
    """On lines of its own only where YAML has them, cut, and without escapes."""
    value = {"spec": {"evil": {f"k{n}\x1b[2J\n": "x" * 500 for n in range(50)}}}
    found = change(policy, Verdict("fail", RULE, path=("spec", "evil")), review(value))
    assert len(found) == MAX_LINES + 3
    assert found[-1].endswith("more lines")
    assert all(len(line) <= MAX_COLUMNS and line.isprintable() for line in found)


@pytest.mark.parametrize(
    ("place", "last"),
    [((), None), (("spec", 0), "+  - …"), (("spec", "containers", 9), "+  - …"),
     (("kind", "x"), "+  x: …"), (("spec", "containers", 0), "-  - name: sidecar")],
)  # fmt: skip
def test_a_place_that_the_object_has_not(place: tuple[str | int, ...], last: str | None) -> None:
    """Whatever a policy says, something is drawn or nothing."""
    lines = list(drawn(POD, place))
    assert last is None or last in lines
