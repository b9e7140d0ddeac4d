"""What an admission policy is asked about: one object under one operation.

Made from an audit event or from a manifest; says nothing about where it came from. What the source
can not answer is `UNBOUND`, never guessed.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from shipper.rules.terms import UNBOUND

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


class Target(NamedTuple):
    """What is acted on, as match blocks see it before any body is read.

    `kind` is empty where it is not known (a resource that no table has, before its body is read).
    """

    operation: Operation
    group: str
    version: str
    resource: str
    subresource: str
    kind: str


class Identity(msgspec.Struct, frozen=True):
    """Who asks: the impersonated user where there is one, as admission sees it."""

    username: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = {}


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One question to the policies.

    `object` is the object as stored (null: a DELETE), `old_object` the one before (null: a CREATE),
    either `UNBOUND` where the source has not got it. `namespace_object` is the object's Namespace
    (null: a cluster-wide object), `UNBOUND` where it is not known. `identity` is None where nobody
    asks (a manifest).
    """

    target: Target
    namespace: str
    name: str
    identity: Identity | None
    dry_run: bool = False
    object: Any = UNBOUND
    old_object: Any = UNBOUND
    namespace_object: Any = UNBOUND
