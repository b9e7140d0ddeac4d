"""What is sent to a receiver: one POST. A value; `http.py` sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from shipper import __version__

Secrets = Mapping[str, str]
"""By name (`url`, `token`, `hmac_key`, `routing_key`), as read from their files for this try."""

_encoder = msgspec.json.Encoder()


class Request(NamedTuple):
    """An HTTP POST. The URL may be a secret."""

    url: str
    headers: dict[str, str]
    body: bytes


def json_post(
    url: str, value: Any, *, secrets: Secrets, content_type: str = "application/json"
) -> Request:
    """`value` as JSON, with the bearer token if there is one."""
    headers = {"Content-Type": content_type, "User-Agent": f"audit-shipper/{__version__}"}
    if "token" in secrets:
        headers["Authorization"] = f"Bearer {secrets['token']}"
    return Request(url, headers, _encoder.encode(value))
