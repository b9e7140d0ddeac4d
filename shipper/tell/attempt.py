"""One try to tell a receiver: its secrets as they are now, the request, the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from shipper.errors import TellError
from shipper.receivers import Receiver
from shipper.tell.answer import Outcome
from shipper.tell.request import Request, Secrets
from shipper.tell.secret_files import read_secrets


class Post(Protocol):
    """`Http.post`: sends a request once; never raises."""

    async def __call__(
        self, request: Request, *, timeout_seconds: float, ca_bundle: str
    ) -> Outcome: ...


async def attempt(post: Post, receiver: Receiver, compose: Callable[[Secrets], Request]) -> Outcome:
    """What became of the request that `compose` makes of the secrets; no secret is in it."""
    try:
        secrets = read_secrets(receiver)
        request = compose(secrets)
    except TellError as error:
        return Outcome("refused", str(error))
    outcome = await post(request, timeout_seconds=receiver.timeout, ca_bundle=receiver.ca_bundle)
    return outcome.without(secrets.values())
