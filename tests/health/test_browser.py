"""The status page in a real browser: its policy lets the style in and nothing else run."""

from __future__ import annotations

import asyncio
import shutil
import struct
import zlib
from pathlib import Path

import pytest
from msgspec import structs

from shipper.health import html
from shipper.health.judge import troubles
from shipper.health.pages import Answer, Asked
from tests.health.samples import BAD
from tests.health.support import serving

BROWSER = shutil.which("chromium")
LIGHT, DARK = (0xFC, 0xFC, 0xFD), (0x11, 0x11, 0x13)
"""The page's own paper: it is there only if the style sheet was let in."""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs chromium, as Debian packages it")


def first_pixel(png: Path) -> tuple[int, ...]:
    """The first pixel's red, green and blue; no filter changes it."""
    body, place, data = png.read_bytes(), 8, b""
    while place < len(body):
        size, kind = struct.unpack_from(">I4s", body, place)
        data += body[place + 8 : place + 8 + size] if kind == b"IDAT" else b""
        place += 12 + size
    return tuple(zlib.decompress(data)[1:4])


async def browse(tmp_path: Path, url: str, *options: str) -> str:
    """What the browser prints."""
    process = await asyncio.create_subprocess_exec(
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        f"--user-data-dir={tmp_path / 'profile'}", *options, url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=tmp_path,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return out.decode()


def test_the_page_is_drawn_and_nothing_runs(tmp_path: Path) -> None:
    """Light and dark, by the reader's choice; hostile names in findings make no element."""
    asked: list[str] = []

    async def page(one: Asked) -> Answer:
        asked.append(one.path)
        return Answer(200, "text/html; charset=utf-8", html.render(BAD).encode(), html.POLICY)

    async def life() -> str:
        async with serving(page) as server:
            url, size = f"http://127.0.0.1:{server.port}/", "--window-size=500,900"
            await browse(tmp_path, url, size, "--screenshot=light.png")
            await browse(tmp_path, url, size, "--screenshot=dark.png", "--force-dark-mode")
            return await browse(tmp_path, url, "--dump-dom")

    document = asyncio.run(life())
    assert first_pixel(tmp_path / "light.png") == LIGHT
    assert first_pixel(tmp_path / "dark.png") == DARK
    assert "<script" not in document
    assert "<img" not in document
    assert "&lt;script&gt;alert(1)" in document
    assert set(asked) <= {"/", "/favicon.ico"}


def test_nothing_is_wider_than_the_window(tmp_path: Path) -> None:
    """A narrow one too, with trouble whose words have no end."""
    long = structs.replace(BAD, store_trouble="https://s3.example.com/" + "k8s%2F" * 100)
    long = structs.replace(long, troubles=troubles(long))
    measure = (
        "<script>document.body.dataset.fits ="
        " document.documentElement.scrollWidth <= window.innerWidth</script>"
    )

    async def page(_: Asked) -> Answer:
        body = (html.render(long) + measure).encode()
        return Answer(200, "text/html; charset=utf-8", body, "default-src 'unsafe-inline'")

    async def life() -> str:
        async with serving(page) as server:
            url = f"http://127.0.0.1:{server.port}/"
            return await browse(tmp_path, url, "--window-size=500,900", "--dump-dom")

    document = asyncio.run(life())
    assert "k8s%2Fk8s%2F" in document
    assert 'data-fits="true"' in document
