"""The place that knows boto3: a bucket, and calls to it whose failures are ours.

botocore does not retry here (`store.retrying` does). A client is built when it is first needed,
and anew after a refusal that new credentials may mend: a rotated key needs no restart.
"""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Callable
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config as BotoConfig
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    InvalidConfigError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from botocore.handlers import add_expect_header

from shipper import __version__
from shipper.config import S3Options
from shipper.errors import RefusedError, StoreError
from shipper.store.s3 import answers
from shipper.store.s3.uploads import Uploads

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
"""The longest silence on a connection. What trickles is ended by `store.attempts`."""

CONNECTIONS = 32

_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ProfileNotFound,
    InvalidConfigError,
    UnauthorizedSSOTokenError,
)

_MODELS = botocore.loaders.create_loader()
"""Keeps what it has read: S3's description takes 12 MB and 0.1 s for each client without it."""

_CODE = re.compile("[^A-Za-z0-9.]")

Answer = dict[str, Any]


class TakenError(StoreError):
    """`If-None-Match: *`, and an object of that name is there."""


class NoLockError(StoreError):
    """There is no Object Lock on the bucket, or no retention on the object."""


class UnsupportedError(StoreError):
    """The service does not know a header or call."""


class DamagedError(StoreError):
    """The service says that the body is not what its checksum says."""


class DeniedError(RefusedError):
    """A permission is missing."""


_KINDS: tuple[tuple[frozenset[str], type[StoreError]], ...] = (
    (answers.TAKEN, TakenError),
    (answers.NO_LOCK, NoLockError),
    (answers.UNSUPPORTED, UnsupportedError),
    (answers.DAMAGED, DamagedError),
    (answers.DENIED, DeniedError),
)


def is_from_s3(answer: Answer) -> bool:
    """Whether it bears a header of S3's own: what stands in between does not."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return any(name.startswith("x-amz-") for name in headers)


class Client:
    """Calls to one bucket. May be used from several threads."""

    def __init__(self, bucket: str, options: S3Options) -> None:
        self.bucket = bucket
        self._options = options
        self._building = threading.Lock()
        self._client: Any = None
        self._was_forgotten = False
        self._uploads = Uploads()
        self._always = {"Bucket": bucket}
        if options.bucket_owner:
            self._always["ExpectedBucketOwner"] = options.bucket_owner

    def call(self, operation: str, **parameters: Any) -> Answer:
        """boto3's answer to e.g. `put_object`.

        The errors of this module and `NotFoundError` are answers; any other `StoreError` says
        that there was none, `RefusedError` that a person is needed.
        """
        return self._call(
            operation, parameters, lambda client, given: getattr(client, operation)(**given)
        )

    def put(self, **parameters: Any) -> Answer:
        """As `call` of `put_object`, for many of a kind."""
        return self._call("put_object", parameters, self._uploads.put)

    def _call(
        self, operation: str, parameters: dict[str, Any], send: Callable[[Any, Answer], Answer]
    ) -> Answer:
        what = f"{operation} {parameters.get('Key') or parameters.get('Prefix') or self.bucket}"
        client = self._client
        try:
            if client is None:
                client = self._build()
            answer = send(client, self._always | parameters)
        except ClientError as error:
            raise self._refusal(what, error, client) from error
        except _NO_CREDENTIALS as error:
            self._forget(client)
            raise RefusedError(
                f"{what}: {_words(error)}", remedy="give the daemon credentials: see docs/s3.md"
            ) from error
        except RecursionError as error:  # botocore follows redirects by asking where to, and so on
            raise StoreError(f"{what}: redirected without end: is this an S3 service?") from error
        except Exception as error:  # whatever botocore makes of a wrong answer, it is none
            failed = StoreError(f"{what}: {_words(error)}")
            failed.code = type(error).__name__
            raise failed from error
        return answer

    def read(self, answer: Answer, *, at_most: int) -> bytes:
        """The body of a `get_object`, up to `at_most` bytes."""
        try:
            body: bytes = answer["Body"].read(at_most)
        except (BotoCoreError, OSError) as error:
            raise StoreError(f"the answer broke off: {_words(error)}") from error
        finally:
            answer["Body"].close()
        # botocore says so itself only where a body is read to its end.
        expected = min(at_most, answer.get("ContentLength", 0))
        if len(body) < expected:
            raise StoreError(f"the answer broke off after {len(body)} of {expected} bytes")
        return body

    def _refusal(self, what: str, error: ClientError, client: Any) -> StoreError:
        said = error.response.get("Error", {})
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        code = str(said.get("Code", ""))
        if code in answers.STALE_CREDENTIALS:
            self._forget(client)
        failed = answers.error_for(what, status, code, str(said.get("Message", "")))
        for codes, kind in _KINDS:
            if code in codes:
                failed = kind(failed.message, remedy=failed.remedy)
                break
        failed.code = _CODE.sub("", code)[:64] or str(status)
        return failed

    def _forget(self, client: Any) -> None:
        with self._building:
            if self._client is client:
                self._client = None
                self._was_forgotten = True

    def _build(self) -> Any:
        with self._building:
            if self._client is None:
                if self._was_forgotten:
                    # A client is a ring of references, 2 MB of them: while a refusal lasts one
                    # after the other would lie about until the collector comes by itself.
                    gc.collect()
                client = _make_client(self._options)
                self._uploads.watch(client)
                self._client = client
            return self._client


def _make_client(options: S3Options) -> Any:
    session = botocore.session.Session()
    session.register_component("data_loader", _MODELS)
    profile = options.profile
    if options.credentials_file:
        session.set_config_variable("credentials_file", options.credentials_file)
        profile = profile or "default"  # named, so that the environment's keys do not win
    if profile:
        session.set_config_variable("profile", profile)
    region = options.region or session.get_config_variable("region") or "us-east-1"
    style = options.addressing_style
    if style == "auto":
        style = "path" if options.endpoint_url else "virtual"
    plain_http = options.endpoint_url.startswith("http://")
    s3_config: dict[str, Any] = {"addressing_style": style}
    if not plain_http:
        # TLS carries the body, and its SHA-256 goes in a header that is signed.
        s3_config["payload_signing_enabled"] = False
    # The body goes with its header: waiting for "100 Continue" makes every upload two round trips.
    session.unregister("before-call.s3", add_expect_header)  # type: ignore[arg-type]
    return boto3.session.Session(botocore_session=session).client(
        "s3",
        region_name=region,
        endpoint_url=options.endpoint_url or None,
        verify=options.ca_bundle or None,
        config=BotoConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=CONNECTIONS,
            retries={"total_max_attempts": 1, "mode": "standard"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            tcp_keepalive=True,
            # botocore's own is put together anew for every call, a quarter of a call's CPU.
            user_agent=f"audit-shipper/{__version__}",
            parameter_validation=False,
            s3=s3_config,  # type: ignore[arg-type]
        ),
    )


def _words(error: Exception) -> str:
    """One short line; nothing that botocore puts there is secret."""
    return " ".join(str(error).split())[:300] or type(error).__name__
