"""A review as the variables of CEL."""

from __future__ import annotations

from typing import Any

from shipper.rules.cel import CelError, Program
from shipper.rules.dialects.activations import ALONE, Activations, environment
from shipper.rules.dialects.review import Review, Target
from shipper.rules.terms import UNBOUND
from tests.rules.dialects.objects import review

ENVIRONMENT = environment()
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "managedFields": [{"big": 1}], "creationTimestamp": None},
    "spec": {"text": "a\x00b", "many": 1 << 70},
}


class _Asking:
    """One expression, asked of everything."""

    def __init__(self, text: str) -> None:
        main = ENVIRONMENT.part(text, expect="any", alone=ALONE)
        self.program: Program = ENVIRONMENT.program(main)
        self.paths = self.program.paths

    def may_concern(self, _target: Target) -> bool:
        return True


def _ask(text: str, asked: Review, params: Any = None) -> Any:
    asking = _Asking(text)
    activations = Activations(ENVIRONMENT)
    activations.serve([asking])
    return asking.program.evaluate(activations.of(asked, params))


def test_only_what_is_spoken_of_is_bound() -> None:
    """The rest of an object would be converted for nobody."""
    assert _ask("object", review(POD))["metadata"]["managedFields"] == [{"big": 1}]
    assert _ask("object.metadata.name", review(POD)) == "web"
    named, whole = _Asking("object.metadata.name"), _Asking("object.metadata")
    activations = Activations(ENVIRONMENT)
    activations.serve([named])
    assert whole.program.evaluate(activations.of(review(POD))) == {"name": "web"}


def test_nulls_are_unset_and_what_the_engine_does_not_take_is_repaired() -> None:
    """As for rules about events."""
    assert _ask("has(object.metadata.creationTimestamp)", review(POD)) is False
    assert _ask("object.spec.text", review(POD)) == "a\ufffdb"
    assert _ask("object.spec.many > 1.0", review(POD)) is True


def test_what_the_review_does_not_know_is_unbound() -> None:
    """The rest of the request is known without it."""
    asked = review(POD, old=UNBOUND)
    for text in ("request.userInfo.username", "oldObject.x", "namespaceObject.x"):
        answer = _ask(text, asked)
        assert isinstance(answer, CelError)
        assert answer.kind == "unbound"
    assert _ask("request.name == 'web' || request.userInfo.username == ''", asked) is True


def test_the_kind_of_a_request_is_that_of_its_body() -> None:
    """A scale of a deployment is a Scale; of an unknown resource without a body it is unknown."""
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}}
    assert _ask("request.kind", review(scale)) == {
        "group": "autoscaling", "version": "v1", "kind": "Scale"
    }  # fmt: skip
    target = Target("DELETE", "x.io", "v1", "things", "", "")
    unknown = Review(target=target, namespace="", name="a", identity=None)
    answer = _ask("request.kind.kind", unknown)
    assert isinstance(answer, CelError)


def test_a_review_is_converted_once_and_parameters_do_not_stay() -> None:
    """Each review has its own values, whoever was asked before."""
    asking = _Asking("[object.metadata.name, params.x]")
    activations = Activations(ENVIRONMENT)
    activations.serve([asking])
    first, second = review(POD), review({**POD, "metadata": {"name": "other"}})
    one = {"x": 1}
    assert activations.of(first, one) is activations.of(first, one)
    assert asking.program.evaluate(activations.of(first, one)) == ["web", 1]
    for number in range(3):  # a new object each time, perhaps in the place of the last
        assert asking.program.evaluate(activations.of(first, {"x": number})) == ["web", number]
    assert asking.program.evaluate(activations.of(second, one)) == ["other", 1]
