"""Asks a bucket what it is and what our credentials may do to it. Leaves nothing behind.

What must be refused is asked in a form that cannot succeed: a version that does not exist, a
retention of no days, a body that is not its MD5. A service says AccessDenied before it looks at
these; any other refusal says that the permission is there.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from shipper.config import StoreOptions
from shipper.errors import NotFoundError, RefusedError, StoreError
from shipper.store.base import Check
from shipper.store.s3.client import (
    Answer,
    Client,
    DamagedError,
    DeniedError,
    NoLockError,
    TakenError,
    UnsupportedError,
    is_from_s3,
)

CLOCK_SKEW_SECONDS = 60.0
"""Services refuse requests that are 15 minutes off; locks are dated by this machine's clock."""

_NAME = ".preflight"


def preflight(client: Client, prefix: str, options: StoreOptions) -> Iterator[Check]:
    """Every answer as it comes. `StoreError` if the service does not answer at all."""
    answer, check = _versioning(client)
    yield check
    if check.state == "failed":  # no bucket, no credentials: all else would say the same
        return
    if answer is not None:
        yield _clock(answer)
    yield from _lock(client, options)
    yield _may_list(client, prefix)
    yield _may_write(client, prefix, options)
    yield _may_not(
        client,
        "delete objects for good",
        "s3:DeleteObjectVersion",
        "delete_object",
        Key=prefix + _NAME,
        VersionId=_no_version(),
    )
    yield _may_not(
        client,
        "bypass a governance lock",
        "s3:BypassGovernanceRetention",
        "delete_object",
        Key=prefix + _NAME,
        VersionId=_no_version(),
        BypassGovernanceRetention=True,
    )
    yield _may_not(
        client,
        "change the bucket's lock",
        "s3:PutBucketObjectLockConfiguration",
        "put_object_lock_configuration",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 0}},
        },
    )


def _versioning(client: Client) -> tuple[Answer | None, Check]:
    try:
        answer = client.call("get_bucket_versioning")
    except UnsupportedError:
        return None, Check(
            "refused",
            f"the service of the bucket {client.bucket} knows no versions: what is stored can be"
            " overwritten",
            "use a service with Object Lock: docs/s3.md names some",
        )
    except RefusedError as error:
        return None, _refusal(error, "whether versioning is on", "s3:GetBucketVersioning")
    if answer.get("Status") == "Enabled":
        return answer, Check("ok", f"the bucket {client.bucket} answers, and versioning is on")
    if not is_from_s3(answer):  # an empty page from something in between says "off" too
        raise StoreError("the answer about versioning is not an S3 service's")
    return answer, Check(
        "refused",
        f"versioning is off on the bucket {client.bucket}: objects can be overwritten",
        "turn versioning on (deploy/terraform/aws does)",
    )


def _refusal(error: RefusedError, what: str, permission: str) -> Check:
    """A missing permission leaves a question open; everything else is a person's to mend."""
    if isinstance(error, DeniedError):
        return Check(
            "unknown", f"{what} could not be found out: {error.message}", f"allow {permission}"
        )
    return Check("failed", error.message, error.remedy)


def _clock(answer: Answer) -> Check:
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        skew = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):
        return Check("unknown", "the service does not say what time it is")
    if abs(skew) <= CLOCK_SKEW_SECONDS:
        return Check("ok", "this machine's clock agrees with the service's")
    word = "ahead of" if skew > 0 else "behind"
    return Check(
        "weak",
        f"this machine's clock is {abs(skew):.0f} s {word} the service's",
        "set the clock (NTP): records and locks are dated by it",
    )


def _lock(client: Client, options: StoreOptions) -> Iterator[Check]:
    try:
        answer = client.call("get_object_lock_configuration")
    except (NoLockError, UnsupportedError):
        if options.require_lock:
            yield Check(
                "refused",
                f"the bucket {client.bucket} has no Object Lock: what is stored can be deleted",
                "use a bucket with Object Lock (deploy/terraform/aws makes one), or set"
                " store.require_lock: false, which every manifest will say",
            )
        else:
            yield Check(
                "weak",
                f"the bucket {client.bucket} has no Object Lock: what is stored can be deleted,"
                " and every manifest says so (store.require_lock: false)",
            )
        return
    except RefusedError as error:
        yield _refusal(error, "whether Object Lock is on", "s3:GetBucketObjectLockConfiguration")
        return
    configuration = answer.get("ObjectLockConfiguration", {})
    if configuration.get("ObjectLockEnabled") != "Enabled":
        yield Check("unknown", "the answer about Object Lock is not an S3 service's")
        return
    yield Check("ok", "Object Lock is on")
    yield _default_retention(configuration, options)


def _default_retention(configuration: dict[str, Any], options: StoreOptions) -> Check:
    rule = configuration.get("Rule", {}).get("DefaultRetention", {})
    own = f"{options.mode} for {_days(timedelta(seconds=options.retention))}"
    if not rule:
        if options.lock == "object":
            return Check("ok", f"no default retention; each object is locked in {own}")
        return Check(
            "refused",
            "the bucket has no default retention, and store.lock: bucket-default relies on it",
            f"set a default retention of {own}, or store.lock: object",
        )
    days = rule.get("Days") or 365 * rule.get("Years", 0)
    found = f"{rule.get('Mode')} for {days} days"
    weaker = days * 86400 < options.retention or (
        options.mode == "COMPLIANCE" and rule.get("Mode") != "COMPLIANCE"
    )
    if not weaker:
        return Check("ok", f"the default retention is {found}")
    if options.lock == "object":
        return Check("ok", f"the default retention is {found}; each object is locked in {own}")
    return Check(
        "refused",
        f"the default retention is {found}, weaker than {own}, and store.lock: bucket-default"
        " relies on it",
        "mend the bucket's default retention, store.retention or store.mode",
    )


def _days(retention: timedelta) -> str:
    return f"{retention / timedelta(days=1):g} days"


def _may_list(client: Client, prefix: str) -> Check:
    try:
        client.call("list_object_versions", Prefix=prefix, MaxKeys=1)
    except DeniedError:
        return Check(
            "failed",
            "object versions cannot be listed, and nothing is shipped before it is known whether"
            " another daemon writes this log",
            "allow s3:ListBucketVersions on the prefix",
        )
    except RefusedError as error:
        return Check("failed", error.message, error.remedy)
    return Check("ok", "object versions can be listed")


def _may_write(client: Client, prefix: str, options: StoreOptions) -> Check:
    """The upload is as the daemon's are: a policy may ask for their lock and condition."""
    place = f"{client.bucket}/{prefix}"
    try:
        try:
            _put_damaged(client, prefix, options, IfNoneMatch="*")
        except UnsupportedError:
            _put_damaged(client, prefix, options)
    except DamagedError:
        return Check("ok", f"{place} can be written")
    except TakenError:
        pass  # an earlier preflight's
    except RefusedError as error:
        return Check("failed", f"{place} cannot be written: {error.message}", error.remedy)
    except StoreError as error:
        return Check("unknown", f"whether {place} can be written is not clear: {error.message}")
    return Check(
        "weak",
        f"{place} can be written, but the service took a body that was not its Content-MD5:"
        f" it does not check what it stores, and keeps an object {_NAME}",
    )


def _put_damaged(client: Client, prefix: str, options: StoreOptions, **condition: str) -> None:
    """Upload a body that is not its MD5."""
    lock: dict[str, Any] = {}
    if options.lock == "object" and options.require_lock:
        until = datetime.now(UTC) + timedelta(seconds=options.retention)
        lock["ObjectLockMode"] = options.mode
        lock["ObjectLockRetainUntilDate"] = until.replace(microsecond=0)
    client.call(
        "put_object",
        Key=prefix + _NAME,
        Body=b"\n",
        ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==",
        **lock,
        **condition,
    )


def _may_not(
    client: Client, deed: str, permission: str, operation: str, **parameters: Any
) -> Check:
    try:
        client.call(operation, **parameters)
    except DeniedError:
        return Check("ok", f"the credentials cannot {deed}")
    except (NotFoundError, RefusedError):
        pass  # looked at, and found to make no sense: the permission is there
    except StoreError as error:
        return Check("unknown", f"whether the credentials can {deed} is not clear: {error.message}")
    return Check(
        "weak",
        f"the credentials can {deed}",
        f"deny them {permission}: whoever steals them could destroy what is not locked",
    )


def _no_version() -> str:
    """The id of no version, in the form that services give."""
    return secrets.token_urlsafe(24)[:32]
