"""All pages of the repository, and the command lines that stand in them."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

_FENCED = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r" *```(\w*)")
_COMMENT = re.compile(r"\s+# .*")
_EXPLANATION = re.compile(r" {4,}(?!.* {4,}).*")
_OPTIONAL = re.compile(r"\[([^\]]+)\]")


class Line(NamedTuple):
    """A command line as it stands in a page."""

    page: str
    number: int
    fenced: bool
    text: str

    @property
    def program(self) -> str:
        return self.text.split()[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.number}: {self.text}"


def pages() -> list[Path]:
    """Every page that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else _found()
    return [ROOT / name for name in sorted(filter(None, names)) if (ROOT / name).exists()]


def _found() -> list[str]:
    """The same for a copy that git does not know."""
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return [str(path) for path in paths if not path.parts[0].startswith((".", "var", "build"))]


def prose(path: Path) -> str:
    """The page without its blocks and its `code`."""
    return re.sub(r"`[^`\n]*`", "", _FENCED.sub("", path.read_text()))


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on the web, and those that it sets."""
    text = _FENCED.sub("", path.read_text())
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return set(re.findall(r'<a id="([\w-]+)">', text)) | {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles
    }


def command_lines(page: Path) -> Iterator[Line]:
    """What stands in `sh` blocks and in indented ones; a line that goes on (`\\`) is one."""
    fence: str | None = None
    began, text = 0, ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if match := _FENCE.match(line):
            fence = match[1] if fence is None else None
            continue
        shown = fence == "sh" or (fence is None and re.match(r" {4}\S", line))
        if not (shown or text) or not line.strip():
            continue
        began, text = (began if text else number), text + line.strip()
        if text.endswith("\\"):
            text = text[:-1]
            continue
        yield Line(str(page.relative_to(ROOT)), began, fence is not None, _COMMENT.sub("", text))
        text = ""


def written_out(text: str) -> list[str]:
    """A synopsis as command lines: with each choice of what stands in brackets and behind bars."""
    text = _EXPLANATION.sub("", text).replace(" …", "")
    parts = _OPTIONAL.split(text)
    choices = [
        [part] if n % 2 == 0 else [option.strip() for option in _one_of(part)]
        for n, part in enumerate(parts)
    ]
    return [" ".join("".join(one).split()) for one in itertools.product(*choices)]


def arguments(text: str) -> list[str]:
    """The words of a command line up to where its output goes."""
    return list(itertools.takewhile(lambda word: word not in ("|", ">"), shlex.split(text)))


def _one_of(optional: str) -> list[str]:
    """`--a X | --b Y` -> both; `--a x|y` -> `--a x`, `--a y`."""
    if " | " in optional:
        return optional.split(" | ")
    head, _, values = optional.rpartition(" ")
    return [f"{head} {value}" for value in values.split("|")]
