"""The cluster's audit policy (audit.k8s.io/v1 Policy), and what it says of a request.

As the API server reads it: the first rule that fits decides, and what fits none is not logged
(k8s.io/apiserver/pkg/audit/policy, checker.go). Where a rule speaks of users, groups, namespaces or
names of objects, a request known only by verb and resource may fit or not.
"""

from __future__ import annotations

from typing import Literal

import msgspec

PolicyLevel = Literal["None", "Metadata", "Request", "RequestResponse"]
_Stage = Literal["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]


class GroupResources(msgspec.Struct, frozen=True, rename="camel"):
    """Resources of one API group; none: all of it."""

    group: str = ""
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class PolicyRule(msgspec.Struct, frozen=True, rename="camel"):
    """One rule; a list that is empty restricts nothing."""

    level: PolicyLevel
    users: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[GroupResources, ...] = ()
    namespaces: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(default=(), name="nonResourceURLs")
    omit_stages: tuple[_Stage, ...] = ()
    omit_managed_fields: bool | None = None


class Policy(msgspec.Struct, frozen=True, rename="camel"):
    """The file."""

    api_version: Literal["audit.k8s.io/v1"]
    kind: Literal["Policy"]
    rules: tuple[PolicyRule, ...]
    omit_stages: tuple[_Stage, ...] = ()
    omit_managed_fields: bool = False
    metadata: dict[str, object] = {}
