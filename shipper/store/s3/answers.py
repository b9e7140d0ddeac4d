"""What an S3 service's refusal means, and whose move it is. Pure: a status and a code come in.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. Other services use a
part of them; what is not in the table is told apart by its HTTP status.
"""

from __future__ import annotations

from shipper.errors import NotFoundError, RefusedError, StoreError

TAKEN = frozenset({"PreconditionFailed", "412"})
"""`If-None-Match: *` and there is an object."""

NO_LOCK = frozenset({"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"})
"""There is no Object Lock on the bucket, or no retention on the object."""

ABSENT = frozenset({"NoSuchKey", "NoSuchVersion"})
"""There is no such object. A 404 with another code comes from something in between."""

UNSUPPORTED = frozenset({"NotImplemented", "MethodNotAllowed"})
"""The service does not know a header or call."""

DENIED = frozenset({"AccessDenied", "403"})

SILENT = DENIED | UNSUPPORTED | {"InvalidRequest"}
"""Refusals to say how an object is locked; all others are about the call, not about the lock."""

DAMAGED = frozenset({"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch"})
"""The body is not what its checksum says."""

STALE_CREDENTIALS = frozenset(
    {
        "403", "AccessDenied", "AuthFailure", "ExpiredToken", "ExpiredTokenException",
        "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "SignatureDoesNotMatch",
        "TokenRefreshRequired", "UnrecognizedClientException",
    }
)  # fmt: skip
"""New credentials may mend these: they are looked up again before the next call."""

_CREDENTIALS = "check the credentials of the daemon; it looks them up again by itself"
_POLICY = "give the credentials the permissions that docs/s3.md lists"
_REMEDIES = {
    "NoSuchBucket": "make the bucket (deploy/terraform/aws), or mend store.url",
    "InvalidBucketName": "mend store.url",
    "PermanentRedirect": "set store.s3.region to the bucket's region",
    "AuthorizationHeaderMalformed": "set store.s3.region to the bucket's region",
    "IllegalLocationConstraintException": "set store.s3.region to the bucket's region",
    "RequestTimeTooSkewed": "set this machine's clock (NTP)",
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "ExpiredToken": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
    "AccessDenied": _POLICY,
    "AllAccessDisabled": _POLICY,
    "AccountProblem": "ask the owner of the account",
    "InvalidRequest": "is Object Lock on? `audit-shipper check --connect` says what is wrong",
    "InvalidRetentionPeriod": "check store.retention against what the service allows",
    "KMS.NotFoundException": "mend store.s3.sse_kms_key_id",
    "KMS.DisabledException": "enable the KMS key",
    "KMS.InvalidStateException": "check the state of the KMS key",
    "301": "set store.s3.region to the bucket's region",
    "403": _POLICY,
}
_PASSING = frozenset({302, 303, 307, 408, 425, 429})
"""Temporary redirects and client errors that pass by themselves."""

_PASSING_CODES = frozenset(
    {
        "ConditionalRequestConflict", "OperationAborted", "RequestTimeout", "SlowDown",
        "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequests",
        "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody",
    }
)  # fmt: skip
"""4xx that pass too: a race, a limit, or bytes that were damaged on their way."""


def error_for(what: str, status: int, code: str, message: str) -> StoreError:
    """The error for a refusal of `what` (a call and its key, in words)."""
    said = f"{what}: {_one_line(code, message, status)}"
    if code in ABSENT:
        return NotFoundError(said)
    if code in _PASSING_CODES or status in _PASSING or status >= 500 or status < 300:
        return StoreError(said)
    if status == 404 and code != "NoSuchBucket":  # a page of something in between
        return StoreError(said)
    return RefusedError(said, remedy=_REMEDIES.get(code, "see docs/s3.md"))


def _one_line(code: str, message: str, status: int) -> str:
    """The service's words, on one short line; some answer with a page of HTML."""
    text = " ".join(message.split())[:200]
    return f"{code or status} ({text})" if text and text != code else f"{code or status}"
