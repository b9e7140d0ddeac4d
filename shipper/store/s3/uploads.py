"""PutObject after PutObject, without making each request from nothing.

Half of a small upload's CPU (0.4 of 0.9 ms) goes into the way from parameters to a request, through
S3's description, endpoint rules and hooks, and back; a batch is two uploads, and a backlog tens of
thousands. So boto3 makes a request, and once it has succeeded the same is sent with another key,
body, checksum and end of the lock: signed by botocore's signer, over the client's own connections.
Whatever is no success is told as boto3 tells it, and makes the next upload boto3's own again; a
redirected one is begun anew by boto3 at once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.signers import RequestSigner
from botocore.utils import percent_encode

Parameters = Mapping[str, Any]
Answer = dict[str, Any]

_EVENT = "before-sign.s3.PutObject"
_VARYING = frozenset({"Key", "Body", "ChecksumSHA256", "ObjectLockRetainUntilDate"})
_OURS = "audit-shipper"
"""Marks, in their context, the requests that boto3 has not made."""

_BODIES = frozenset({"input_params", "s3_redirect"})
"""What a request's context has of its parameters: for redirects, which are not followed here."""


class _RedirectedError(Exception):
    """Nothing is stored, and boto3 knows where to ask."""


class Uploads:
    """Of one bucket. May be used from several threads."""

    def __init__(self) -> None:
        self._pattern: _Pattern | None = None
        self._thread = threading.local()

    def watch(self, client: Any) -> None:
        """Look at the requests that this client makes."""
        client.meta.events.register(_EVENT, self._note)

    def put(self, client: Any, parameters: Parameters) -> Answer:
        """What `client.put_object` returns (the ETag and the version at least) or raises."""
        pattern = self._pattern
        if pattern is not None and pattern.fits(client, parameters):
            with suppress(_RedirectedError):
                return self._repeat(pattern, parameters)
        answer: Answer = client.put_object(**parameters)
        self._pattern = _pattern_of(client, getattr(self._thread, "made", None), parameters)
        return answer

    def _repeat(self, pattern: _Pattern, parameters: Parameters) -> Answer:
        answer: Answer = {}
        try:
            answer = pattern.send(parameters)
        finally:
            if not answer.get("ETag"):
                self._pattern = None
        return answer

    def _note(
        self, request: AWSRequest, request_signer: RequestSigner, signature_version: str, **_: Any
    ) -> None:
        if _OURS in request.context:
            return
        context = {k: value for k, value in request.context.items() if k not in _BODIES}
        headers = dict(request.headers.items())
        made = _Made(str(request.url), headers, context, request_signer)
        self._thread.made = made if signature_version == "s3v4" else None


class _Made(NamedTuple):
    """A request of boto3's, not signed yet."""

    url: str
    headers: dict[str, str]
    context: dict[str, Any]
    signer: RequestSigner


class _Pattern(NamedTuple):
    """What is the same in every upload of this client."""

    client: Any
    http: Any
    parameters: Parameters
    made: _Made
    place: str
    """The URL up to the key."""

    def fits(self, client: Any, parameters: Parameters) -> bool:
        """Whether this upload differs in nothing that is not filled in."""
        return client is self.client and _fixed(parameters) == self.parameters

    def send(self, parameters: Parameters) -> Answer:
        """Fill in, sign, send. `ClientError` for a refusal, botocore's errors for no answer."""
        request = AWSRequest(
            "PUT",
            self.place + _path(parameters),
            headers=self.made.headers | _headers(parameters),
            data=parameters["Body"],
        )
        request.context = self.made.context | {_OURS: True}
        self.made.signer.sign("PutObject", request)
        response = self.http.send(request.prepare())
        headers = {name.lower(): value for name, value in response.headers.items()}
        metadata = {"HTTPStatusCode": response.status_code, "HTTPHeaders": headers}
        if 300 <= response.status_code < 400:
            raise _RedirectedError
        if response.status_code >= 400:
            raise ClientError(_refusal(response), "PutObject")
        return {
            "ETag": headers.get("etag", ""),
            "VersionId": headers.get("x-amz-version-id", ""),
            "ResponseMetadata": metadata,
        }


def _refusal(response: AWSResponse) -> Any:
    said = {
        "status_code": response.status_code,
        "headers": response.headers,
        "body": response.content,
    }
    return create_parser("rest-xml").parse(said, None)  # type: ignore[arg-type]


def _pattern_of(client: Any, made: _Made | None, parameters: Parameters) -> _Pattern | None:
    """None if the request is not what would be filled in, or cannot be sent in boto3's way: then
    boto3 makes the next one too."""
    http = _connections(client)
    if made is None or http is None:
        return None
    path, own = _path(parameters), _headers(parameters)
    if not made.url.endswith("/" + path) or not own.items() <= made.headers.items():
        return None
    return _Pattern(client, http, _fixed(parameters), made, made.url.removesuffix(path))


def _connections(client: Any) -> Any:
    """The client's own, with its TLS and its proxy; None where botocore keeps them elsewhere: the
    attribute is not one that it promises."""
    return getattr(getattr(client, "_endpoint", None), "http_session", None)


def _fixed(parameters: Parameters) -> Parameters:
    return {name: None if name in _VARYING else value for name, value in parameters.items()}


def _path(parameters: Parameters) -> str:
    path: str = percent_encode(parameters["Key"], safe="/~")
    return path


def _headers(parameters: Parameters) -> dict[str, str]:
    headers = {"x-amz-checksum-sha256": parameters["ChecksumSHA256"]}
    until = parameters.get("ObjectLockRetainUntilDate")
    if until is not None:
        headers["x-amz-object-lock-retain-until-date"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    return headers
