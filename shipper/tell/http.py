"""The one place that speaks to receivers: a POST, and what became of it. Repeats nothing.

Redirects are not followed, answers are read to a bounded length, each call has its time, and every
connection is new: one that a server has closed meanwhile would make a message look lost.
"""

from __future__ import annotations

import asyncio
import os
import ssl

import aiohttp

from shipper.errors import TellError
from shipper.tell.answer import Outcome, judge
from shipper.tell.request import Request
from shipper.tell.resolver import Resolver

_ANSWER_BYTES = 1024


class Http:
    """For one event loop; close it at the end. Proxies are taken from the environment."""

    def __init__(self) -> None:
        self._trusted: dict[str, tuple[tuple[int, int], ssl.SSLContext]] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, limit=0, resolver=Resolver()),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept-Encoding", "User-Agent"),
            auto_decompress=False,
            trust_env=True,
        )

    async def post(self, request: Request, *, timeout_seconds: float, ca_bundle: str) -> Outcome:
        """What became of `request`. The outcome's text may hold what the server sent back."""
        try:
            async with asyncio.timeout(timeout_seconds):
                secure = request.url.lower().startswith("https:")
                return await self._post(request, self._trust(ca_bundle) if secure else True)
        except TimeoutError:
            return Outcome("later", f"no answer within {timeout_seconds:g} s")
        except TellError as error:
            return Outcome("refused", str(error))
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            return Outcome("refused", "the URL is malformed")
        except aiohttp.ClientConnectorCertificateError as error:
            return Outcome("refused", f"its certificate is not trusted: {_reason(error)}")
        except aiohttp.ClientConnectorError as error:
            return Outcome("later", f"cannot be reached: {_reason(error)}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Their texts may hold the URL, which may be a secret.
            return Outcome("later", f"no answer: {type(error).__name__}")

    async def _post(self, request: Request, context: ssl.SSLContext | bool) -> Outcome:
        async with self._session.post(
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            ssl=context,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as answer:
            text = b"" if 200 <= answer.status < 300 else await answer.content.read(_ANSWER_BYTES)
            retry_after = answer.headers.get("Retry-After", "")
            return judge(answer.status, text.decode("utf-8", "replace"), retry_after)

    def _trust(self, ca_bundle: str) -> ssl.SSLContext:
        """The authorities in `ca_bundle`, read again when it has changed, or the system's."""
        try:
            found = os.stat(ca_bundle) if ca_bundle else None
            version = (found.st_ino, found.st_mtime_ns) if found else (0, 0)
            if self._trusted.get(ca_bundle, ((-1, -1),))[0] != version:
                context = ssl.create_default_context(cafile=ca_bundle or None)
                self._trusted[ca_bundle] = version, context
        except OSError as error:  # an SSLError is one
            raise TellError(
                f"ca_bundle {ca_bundle} cannot be used: {error.strerror or error}",
                remedy="it must be a PEM file with certificates that the daemon may read",
            ) from error
        return self._trusted[ca_bundle][1]

    async def close(self) -> None:
        """Close what is open."""
        await self._session.close()


def _reason(
    error: aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError,
) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause: object = error.certificate_error
        return getattr(cause, "verify_message", "") or type(cause).__name__
    number = error.os_error.errno or 0
    return os.strerror(number) if number > 0 else error.os_error.strerror or "no address"
