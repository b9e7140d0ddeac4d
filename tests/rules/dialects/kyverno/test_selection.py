"""Match and exclude blocks."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.kyverno import Kyverno
from shipper.rules.dialects.kyverno.kinds import parsed
from shipper.rules.dialects.review import Identity, Review, Target
from shipper.rules.terms import UNBOUND
from tests.rules.dialects.kyverno.policies import pod, policy, says, verdicts
from tests.rules.dialects.objects import linked, only, review

_NEVER: dict[str, Any] = {"deny": {}}
_BOB = Identity(username="bob", groups=("dev", "system:authenticated"))


def _says(match: dict[str, Any], asked: Review | dict[str, Any], **rule: Any) -> str:
    return says(policy(_NEVER, match=match, **rule), asked)


def _matches(resources: dict[str, Any], asked: Review | dict[str, Any]) -> bool:
    return _says({"any": [{"resources": resources}]}, asked) == "fail"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pod", ("*", "*", "Pod", "")),
        ("v1/Pod", ("*", "v1", "Pod", "")),
        ("apps/v1/Deployment", ("apps", "v1", "Deployment", "")),
        ("apps/*/Deployment", ("apps", "*", "Deployment", "")),
        ("*/*", ("*", "*", "*", "*")),
        ("*/scale", ("*", "*", "*", "scale")),
        ("*/Pod", ("*", "*", "Pod", "")),
        ("Pod/exec", ("*", "*", "Pod", "exec")),
        ("Pod.status", ("*", "*", "Pod", "status")),
        ("v1/Pod/exec", ("*", "v1", "Pod", "exec")),
        ("v1/Pod.exec", ("*", "v1", "Pod", "exec")),
        ("apps/v1/Deployment/scale", ("apps", "v1", "Deployment", "scale")),
        ("a/b/c/d/e", ("", "", "", "")),
    ],
)
def test_a_kind_selector(text: str, expected: tuple[str, str, str, str]) -> None:
    """Group, version, kind and subresource, as kyverno/pkg/utils/kube has it."""
    assert parsed(text) == expected


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"kinds": ["Pod"]}, True),
        ({"kinds": ["Po?"]}, True),
        ({"kinds": ["*"]}, True),
        ({"kinds": ["apps/v1/Pod"]}, False),
        ({"kinds": ["Service"]}, False),
        ({"kinds": ["Pod/exec"]}, False),
        ({"kinds": ["Pod"], "name": "w*"}, True),
        ({"kinds": ["Pod"], "names": ["a", "web"]}, True),
        ({"kinds": ["Pod"], "names": ["a"]}, False),
        ({"namespaces": ["sh*"]}, True),
        ({"namespaces": ["kube-*"]}, False),
        ({"operations": ["CREATE"]}, True),
        ({"operations": ["DELETE"], "kinds": ["Pod"]}, False),
        ({"annotations": {"a/*": "?"}}, True),
        ({"annotations": {"a/*": "no"}}, False),
        ({"selector": {"matchLabels": {"app": "w*"}}}, True),
        ({"selector": {"matchLabels": {"a*": "web"}}}, True),
        ({"selector": {"matchLabels": {"app": "x"}}}, False),
        ({"selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}, True),
        ({"selector": {"matchExpressions": [{"key": "app", "operator": "Wrong"}]}}, False),
        ({}, False),
    ],
)
def test_a_block_of_resources(resources: dict[str, Any], *, expected: bool) -> None:
    """All that it names must hold; one that names nothing selects nothing."""
    asked = pod(labels={"app": "web"}, annotations={"a/b": "c"})
    assert _matches(resources, asked) is expected


def test_any_all_and_the_old_form() -> None:
    """The old form stands for the only filter."""
    pods, services = {"resources": {"kinds": ["Pod"]}}, {"resources": {"kinds": ["Service"]}}
    assert _says({"any": [services, pods]}, pod()) == "fail"
    assert _says({"all": [services, pods]}, pod()) == "nothing"
    assert _says(pods, pod()) == "fail"


def test_what_an_exclusion_lets_by_that_fails_is_exempt() -> None:
    """It is no failure of the cluster's; what passes is not spoken of."""
    pods = {"any": [{"resources": {"kinds": ["Pod"]}}]}
    out = {"any": [{"resources": {"namespaces": ["shop"]}}]}
    assert _says(pods, pod(), exclude=out) == "fail, exempt"
    assert says(policy({"pattern": {"metadata": {"name": "web"}}}, exclude=out), pod()) == "nothing"


def test_users_and_groups() -> None:
    """Subjects with wildcards; where nobody asks they do not count in match, nor in exclude."""
    asked = review(pod(), identity=_BOB)
    by_user = {"resources": {"kinds": ["Pod"]}, "subjects": [{"kind": "User", "name": "b*"}]}
    by_group = {"resources": {"kinds": ["Pod"]}, "subjects": [{"kind": "Group", "name": "ops"}]}
    assert _says({"any": [by_user]}, asked) == "fail"
    assert _says({"any": [by_group]}, asked) == "nothing"
    assert _says({"any": [by_group]}, pod()) == "fail"
    pods = {"any": [{"resources": {"kinds": ["Pod"]}}]}
    assert _says(pods, asked, exclude={"any": [by_user]}) == "fail, exempt"
    assert _says(pods, pod(), exclude={"any": [by_user]}) == "fail"
    account = {"kind": "ServiceAccount", "namespace": "ci", "name": "*"}
    deployer = Identity(username="system:serviceaccount:ci:deployer")
    match = {"any": [{"resources": {"kinds": ["Pod"]}, "subjects": [account]}]}
    assert _says(match, review(pod(), identity=deployer)) == "fail"


def test_roles_need_the_cluster() -> None:
    """Indeterminate where they decide; said at load."""
    block = {"resources": {"kinds": ["Pod"]}, "clusterRoles": ["cluster-admin"]}
    asked = review(pod(), identity=_BOB)
    assert _says({"any": [block]}, asked) == "indeterminate"
    pods = {"any": [{"resources": {"kinds": ["Pod"]}}]}
    assert _says(pods, asked, exclude={"any": [block]}) == "indeterminate"
    passing = policy({"pattern": {"metadata": {"name": "web"}}}, exclude={"any": [block]})
    assert says(passing, asked) == "pass"
    elsewhere = {"resources": {"kinds": ["Pod"], "names": ["x"]}, "clusterRoles": ["a"]}
    assert _says(pods, asked, exclude={"any": [elsewhere]}) == "fail"
    made = only(linked(Kyverno(), policy(_NEVER, exclude={"any": [block]})))
    assert any("roles" in text for text in made.unanswerable)


def test_namespaces_are_selected_by_what_is_known_of_them() -> None:
    """The label that is its name always is; other labels of an unknown Namespace are not."""
    named = {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}
    other = {"matchLabels": {"team": "a"}}
    pods = {"kinds": ["Pod"]}
    assert _matches({**pods, "namespaceSelector": named}, pod())
    match = {"any": [{"resources": {**pods, "namespaceSelector": other}}]}
    assert _says(match, pod()) == "indeterminate"
    namespace = {"metadata": {"name": "shop", "labels": {"team": "a"}}}
    assert _says(match, review(pod(), namespace_object=namespace)) == "fail"


def test_an_object_that_is_not_in_the_record_is_indeterminate() -> None:
    """Never a pass."""
    asked = Review(
        target=Target("CREATE", "", "v1", "pods", "", "Pod"),
        namespace="shop",
        name="web",
        identity=_BOB,
        object=UNBOUND,
    )
    assert says(policy({"pattern": {"metadata": {"name": "web"}}}), asked) == "indeterminate"
    assert _says({"any": [{"resources": {"kinds": ["Pod"], "names": ["x"]}}]}, asked) == "nothing"
    labelled = {"resources": {"kinds": ["Pod"], "selector": {"matchLabels": {"a": "b"}}}}
    assert _says({"any": [labelled]}, asked) == "indeterminate"


def test_subresources_are_named_by_their_resources_kind() -> None:
    """Pod/exec is the request whose body is a PodExecOptions; ephemeral containers are the pod."""
    options = {"apiVersion": "v1", "kind": "PodExecOptions", "command": ["sh"]}
    asked = Review(
        target=Target("CONNECT", "", "v1", "pods", "exec", "PodExecOptions"),
        namespace="shop",
        name="web",
        identity=_BOB,
        object=options,
    )
    assert _matches({"kinds": ["Pod/exec"]}, asked)
    assert _matches({"kinds": ["*/*"]}, asked)
    assert not _matches({"kinds": ["Pod"]}, asked)
    assert _matches({"kinds": ["Pod"]}, review(pod(), subresource="ephemeralcontainers"))
    assert not _matches({"kinds": ["Pod"]}, review(pod(), subresource="status"))


def test_a_target_of_an_unknown_kind_is_asked_by_its_resource() -> None:
    """In doubt a policy is asked."""
    widgets = Target("CREATE", "example.com", "v1", "widgets", "", "")
    made = only(
        linked(
            Kyverno(),
            policy(_NEVER, match={"any": [{"resources": {"kinds": ["example.com/v1/Widget"]}}]}),
        )
    )
    assert made.may_concern(widgets)
    assert not made.may_concern(widgets._replace(resource="gadgets"))
    assert not made.may_concern(widgets._replace(group="other.com"))


def test_a_policy_of_a_namespace_speaks_of_that_namespace_alone() -> None:
    """Kyverno's Policy, as opposed to ClusterPolicy."""
    document = policy(_NEVER)
    document["kind"] = "Policy"
    document["metadata"]["namespace"] = "shop"
    assert says(document, pod()) == "fail"
    document["metadata"]["namespace"] = "bank"
    assert not verdicts(document, pod())
