"""What admission has refused already."""

from __future__ import annotations

import pytest

from shipper.backtest.refused import refused_by
from tests.rules.support import event


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("deployments.apps \"x\" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding"
         " 'b' denied request: at most 5", "ValidatingAdmissionPolicy replicas"),
        ('admission webhook "validation.gatekeeper.sh" denied the request: [must-have-owner] you'
         " must provide labels", "webhook validation.gatekeeper.sh, must-have-owner"),
        ('admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/x was'
         " blocked", "webhook validate.kyverno.svc-fail"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
         "PodSecurity restricted:latest"),
        ('pods "x" is forbidden: exceeded quota: compute, requested: pods=1', "quota compute"),
        ('pods "x" is forbidden: User "bob" cannot create resource', ""),
    ],
)  # fmt: skip
def test_who_refused_is_read_from_the_answer(message: str, name: str) -> None:
    """Admission's refusals have a name; one by authorization is none of them."""
    status = {"code": 403, "message": message}
    assert refused_by(event(verb="create", responseStatus=status)) == name


def test_an_accepted_request_is_not_refused() -> None:
    """Whatever its message says."""
    status = {"code": 201, "message": 'admission webhook "x" denied the request'}
    assert refused_by(event(verb="create", responseStatus=status)) == ""
    assert refused_by(event(verb="create")) == ""


def test_a_name_is_made_harmless() -> None:
    """A webhook words its own refusal."""
    status = {"code": 400, "message": 'admission webhook "\x1b[2J' + "x" * 9000}
    assert refused_by(event(verb="create", responseStatus=status)) == ""
    status["message"] = 'admission webhook "\x1b[2J" denied the request'
    assert refused_by(event(verb="create", responseStatus=status)) == "webhook \\u001b[2J"
