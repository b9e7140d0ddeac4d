"""The statements of policies, short."""

from __future__ import annotations

from typing import Any


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """The document with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(bucket: str, *actions: str, user: str = "", below: str = "") -> dict[str, Any]:
    """Allow `user` these actions (without `s3:`) on the bucket and its keys `below` a prefix.

    Without `user` it is a statement for a user policy.
    """
    arn = f"arn:aws:s3:::{bucket}"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": [f"s3:{action}" for action in actions],
        "Resource": [arn, f"{arn}/{below}*"],
    }
    if user:
        statement["Principal"] = {"AWS": [f"arn:aws:iam:::user/{user}"]}
    return statement


def deny(bucket: str, *actions: str, user: str = "", below: str = "") -> dict[str, Any]:
    """Deny them."""
    return allow(bucket, *actions, user=user, below=below) | {"Effect": "Deny"}
