"""The authorizer: what it would say, only the cluster knows.

Declared so that policies that ask it compile. `authorizer` is never bound, so whatever depends on
it is unknown, and says so. Source: k8s.io/apiserver/pkg/cel/library/authz.go.
"""

from __future__ import annotations

from shipper.rules.cel.library.function import CallError, Function

AUTHORIZER = "kubernetes.authorization.Authorizer"
_PATH = "kubernetes.authorization.PathCheck"
_GROUP = "kubernetes.authorization.GroupCheck"
RESOURCE = "kubernetes.authorization.ResourceCheck"
_DECISION = "kubernetes.authorization.Decision"


def _unknown(*_arguments: object) -> bool:
    raise CallError("the authorizer cannot be asked here")


def _function(name: str, receiver: str, parameters: tuple[str, ...], returns: str) -> Function:
    return Function(name, receiver, parameters, returns, _unknown)


FUNCTIONS = (
    _function("path", AUTHORIZER, ("string",), _PATH),
    _function("group", AUTHORIZER, ("string",), _GROUP),
    _function("serviceAccount", AUTHORIZER, ("string", "string"), AUTHORIZER),
    _function("resource", _GROUP, ("string",), RESOURCE),
    _function("subresource", RESOURCE, ("string",), RESOURCE),
    _function("namespace", RESOURCE, ("string",), RESOURCE),
    _function("name", RESOURCE, ("string",), RESOURCE),
    _function("fieldSelector", RESOURCE, ("string",), RESOURCE),
    _function("labelSelector", RESOURCE, ("string",), RESOURCE),
    _function("check", _PATH, ("string",), _DECISION),
    _function("check", RESOURCE, ("string",), _DECISION),
    _function("allowed", _DECISION, (), "bool"),
    _function("errored", _DECISION, (), "bool"),
    _function("error", _DECISION, (), "string"),
    _function("reason", _DECISION, (), "string"),
)
