"""Which level an audit policy gives to a request, as kube-apiserver decides it.

k8s.io/apiserver/pkg/audit/policy `ruleMatches`: the first rule that matches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    """What the API server knows when it decides. `resource` may be `resource/subresource`."""

    verb: str
    resource: str = ""
    group: str = ""
    user: str = "jane"
    groups: tuple[str, ...] = ("system:authenticated",)
    namespace: str = "default"
    path: str = ""


def level(policy: dict[str, Any], request: Request) -> str:
    """None, Metadata, Request or RequestResponse."""
    for rule in policy["rules"]:
        if _matches(rule, request):
            found: str = rule["level"] or "None"
            return found
    return "None"


def _matches(rule: dict[str, Any], request: Request) -> bool:
    if rule.get("users") and request.user not in rule["users"]:
        return False
    if rule.get("userGroups") and not set(rule["userGroups"]) & set(request.groups):
        return False
    if rule.get("verbs") and request.verb not in rule["verbs"]:
        return False
    if rule.get("namespaces") or rule.get("resources"):
        return bool(request.resource) and _resource_matches(rule, request)
    if rule.get("nonResourceURLs"):
        return not request.resource and any(
            request.path == url or (url.endswith("*") and request.path.startswith(url[:-1]))
            for url in rule["nonResourceURLs"]
        )
    return True


def _resource_matches(rule: dict[str, Any], request: Request) -> bool:
    if rule.get("namespaces") and request.namespace not in rule["namespaces"]:
        return False
    if not rule.get("resources"):
        return True
    return any(
        one["group"] == request.group
        and (not one.get("resources") or any(_named(name, request) for name in one["resources"]))
        for one in rule["resources"]
    )


def _named(name: str, request: Request) -> bool:
    resource, _, subresource = request.resource.partition("/")
    return name in ("*", request.resource) or (
        bool(subresource) and name in (f"{resource}/*", f"*/{subresource}")
    )
