"""The Store protocol on S3: one PUT an object, its lock in it, the lock in force read back.

What happens when it stops: before the PUT nothing is there; inside it nothing is, since a single
PUT is whole or not at all; after it, with the answer lost, the object is there, locked, and the
next try finds it (`again`, or the 412 that `If-None-Match: *` brings) and compares its bytes.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import math
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shipper.config import StoreOptions
from shipper.errors import (
    ConflictError,
    FormatError,
    NotFoundError,
    StoreError,
    UnknownError,
)
from shipper.store.base import Check, Entry, Lock, Stored
from shipper.store.s3 import answers
from shipper.store.s3.client import (
    Answer,
    Client,
    NoLockError,
    TakenError,
    UnsupportedError,
    is_from_s3,
)
from shipper.store.s3.listing import Listing
from shipper.store.s3.preflight import preflight

CONFIRM_EVERY = 100
"""With `store.confirm: sample`, how many uploads there are to one whose lock is read back."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the service's clock may be from this one's, where it dates a lock by its own."""


class S3Store:
    """The objects of `bucket` below `prefix` (empty, or ending in a slash)."""

    parallel = 16

    def __init__(self, bucket: str, prefix: str, options: StoreOptions) -> None:
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._client = Client(bucket, options.s3)
        self._listing = Listing(self._client, prefix)
        self._prefix = prefix
        self._options = options
        self._retention = timedelta(seconds=options.retention)
        self._encryption: dict[str, str] = {}
        if options.s3.sse:
            self._encryption["ServerSideEncryption"] = options.s3.sse
        if options.s3.sse_kms_key_id:
            self._encryption["SSEKMSKeyId"] = options.s3.sse_kms_key_id
        self._conditional = True
        self._has_lock: bool | None = True if options.require_lock else None
        self._uploads = itertools.count()
        self._counting = threading.Lock()

    # ---- writing

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        if again or not self._conditional:
            found = self._find(key, body)
            if found is not None:
                return found
        digest = bytes.fromhex(sha256) if sha256 else hashlib.sha256(body).digest()
        began = datetime.now(UTC)
        try:
            answer = self._upload(key, body, digest, began)
        except TakenError:
            return self._must_find(key, body)
        except UnsupportedError:
            if not self._conditional:
                raise
            self._conditional = False
            return self.put(key, body, sha256=sha256, again=True)
        _must_be_from_s3(answer, f"the upload of {key}")
        with self._counting:
            number = next(self._uploads)
        confirm = self._options.confirm
        asked = confirm == "all" or (confirm == "sample" and not number % CONFIRM_EVERY)
        version = str(answer.get("VersionId", ""))
        if not asked:
            return Stored(version)
        if not version:  # a bucket without versions, or half an answer: the object itself says it
            return self._must_find(key, body)
        return Stored(version, self._weakness(key, version, began))

    def _upload(self, key: str, body: bytes, digest: bytes, now: datetime) -> Answer:
        parameters: dict[str, Any] = {"IfNoneMatch": "*"} if self._conditional else {}
        if self._options.lock == "object" and self._bucket_has_lock():
            until = now + self._retention
            parameters["ObjectLockMode"] = self._options.mode
            # The protocol has whole seconds: round up, never down.
            parameters["ObjectLockRetainUntilDate"] = datetime.fromtimestamp(
                math.ceil(until.timestamp()), UTC
            )
        return self._client.put(
            Key=self._prefix + key,
            Body=body,
            ChecksumSHA256=base64.b64encode(digest).decode(),
            **parameters,
            **self._encryption,
        )

    def _must_find(self, key: str, body: bytes) -> Stored:
        found = self._find(key, body)
        if found is None:
            raise StoreError(f"{key} was there a moment ago, and is not")
        return found

    def _find(self, key: str, body: bytes) -> Stored | None:
        """What is stored under `key`, if these are its bytes; None if there is nothing."""
        try:
            answer, stored = self._read(key, len(body) + 1)
        except NotFoundError:
            return None
        if stored != body:
            # A conflict is final, so it must not be an answer that was damaged on its way.
            if self._read(key, len(body) + 1)[1] != stored:
                raise StoreError(f"{key} seems to be stored with other bytes: it is read again")
            raise ConflictError(
                f"{key} is stored already, with other bytes",
                remedy="somebody else writes to this log: find out who before you go on",
            )
        version, since = str(answer.get("VersionId", "")), answer.get("LastModified")
        if self._options.confirm == "none":
            return Stored(version)
        if since is None:
            raise StoreError(f"the answer to the request for {key} broke off")
        return Stored(version, self._weakness(key, version, since))

    def _read(self, key: str, at_most: int) -> tuple[Answer, bytes]:
        answer = self._fetch(key)
        return answer, self._client.read(answer, at_most=at_most)

    def _weakness(self, key: str, version: str, since: datetime) -> str:
        """What of the lock in force is weaker than configured for an object of that age."""
        if not self._bucket_has_lock():
            return ""
        if version in ("", "null"):
            return f"{key} was stored without a version: the bucket's versioning is off"
        try:
            lock = self.lock(key, version)
        except UnknownError as error:
            return f"the lock of {key} could not be confirmed: {error.message}"
        if lock is None:
            return f"{key} (version {version}) has no lock"
        by_this_clock = self._options.lock == "object"
        tolerance = timedelta(seconds=1) if by_this_clock else CLOCK_TOLERANCE
        if lock.until < since + self._retention - max(tolerance, timedelta(seconds=1)):
            return (
                f"{key} (version {version}) is locked until {lock.until:%Y-%m-%dT%H:%M:%SZ} only,"
                f" less than store.retention"
            )
        if lock.mode != self._options.mode and self._options.mode == "COMPLIANCE":
            return (
                f"{key} (version {version}) is locked in {lock.mode} mode, not {self._options.mode}"
            )
        return ""

    def _bucket_has_lock(self) -> bool:
        """Only a bucket that is allowed to have no lock is asked."""
        if self._has_lock is None:
            try:
                self._client.call("get_object_lock_configuration")
                self._has_lock = True
            except (NoLockError, UnsupportedError):
                self._has_lock = False
        return self._has_lock

    # ---- reading

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        answer = self._fetch(key, version)
        size = answer.get("ContentLength", 0)
        if size > max_bytes:
            answer["Body"].close()
            raise FormatError(f"{key} has {size} bytes, more than {max_bytes}")
        return self._client.read(answer, at_most=max_bytes + 1)

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        return self._listing.scan(prefix, after)

    def last(self, prefix: str) -> Entry | None:
        return self._listing.last(prefix)

    def children(self, prefix: str) -> list[str]:
        return self._listing.children(prefix)

    def versions(self, key: str) -> Sequence[str]:
        return self._listing.versions(key)

    def lock(self, key: str, version: str) -> Lock | None:
        """Asked by GetObjectRetention: HEAD leaves the lock out for those without permission."""
        parameters = {"VersionId": version} if version else {}
        try:
            answer = self._client.call("get_object_retention", Key=self._prefix + key, **parameters)
        except NoLockError:
            return None
        except StoreError as error:
            if error.code not in answers.SILENT:
                raise
            raise UnknownError(
                f"the store does not say how {key} is locked: {error.message}",
                remedy="give the credentials s3:GetObjectRetention",
            ) from error
        retention = answer.get("Retention")
        if not retention or not is_from_s3(answer):
            raise StoreError(
                f"the answer about the lock of {key} is not an S3 service's, or broke off"
            )
        mode, until = retention.get("Mode"), retention.get("RetainUntilDate")
        if mode not in ("COMPLIANCE", "GOVERNANCE") or not isinstance(until, datetime):
            raise UnknownError(f"the store does not say how {key} is locked")
        return Lock(mode, until)

    def preflight(self) -> Iterator[Check]:
        return preflight(self._client, self._prefix, self._options)

    def _fetch(self, key: str, version: str = "") -> Answer:
        parameters = {"VersionId": version} if version else {}
        answer = self._client.call("get_object", Key=self._prefix + key, **parameters)
        try:
            _must_be_from_s3(answer, f"the request for {key}")
        except StoreError:
            answer["Body"].close()
            raise
        return answer


def _must_be_from_s3(answer: Answer, what: str) -> None:
    """A portal says 200 to everything, and a page has an ETag too."""
    if not answer.get("ETag") or not is_from_s3(answer):
        raise StoreError(f"the answer to {what} is not an S3 service's")
