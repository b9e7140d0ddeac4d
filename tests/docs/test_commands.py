"""Every command line in every page: the program's own are run, others are looked at.

`audit-shipper …` is really run, in a world that has what the page speaks of (tests/docs/world.py).
What needs a cluster, a cloud, root or minutes is listed in `LOOKED_AT` with its reason: its syntax
is a shell's, and each file that it names is there. Any other program in a page is an error.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest

from bench.__main__ import BENCHMARKS
from shipper.cli.main import commands
from tests.conftest import ROOT
from tests.docs.pages import Line, arguments, command_lines, pages, written_out
from tests.docs.world import World
from tests.s3.ceph import Ceph

NAMES_A_FILE = re.compile(
    r"(?!/)(?:[\w.-]+/)*[\w-][\w.-]*\.(?:conf|env|json|pem|pub|service|sh|timer|yaml)"
    r"|(?:config|deploy|docs|tests)/[\w./-]+"
)
NO_COMMANDS = {"docs/format.md", "tests/vectors/v1/README.md"}
"""Their indented blocks are formats and hashes."""

ELSEWHERE = {
    "docs/alerts.md": "tests/docs/test_alerts.py",
    "docs/ci.md": "tests/docs/test_ci.py",
    "docs/install-talos.md": "tests/docs/test_install.py",
    "docs/keys.md": "tests/docs/test_install.py",
    "docs/quickstart.md": "tests/docs/test_quickstart.py",
    "docs/verify-by-hand.md": "tests/docs/test_verify_by_hand.py",
}
"""Pages whose `sh` blocks are scripts, and who runs them."""

LOOKED_AT = {
    "aws": "an account, or a service of the reader's",
    "docker": "a container engine and a registry; `make image-test` builds the image",
    "helm": "a cluster; tests/docs/test_install.py renders the chart with the pages' values",
    "kubeadm": "a control-plane node",
    "kubectl": "a cluster; tests/deploy checks what is applied",
    "mc": "a MinIO server",
    "radosgw-admin": "a Ceph cluster; tests/s3 has one and does the same",
    "systemctl": "systemd as process 1; `make systemd-test` boots a machine",
    "systemd-sysusers": "root",
    "systemd-tmpfiles": "root",
    "talosctl": "a Talos cluster",
    "terraform": "an account; tests/deploy applies the module to a simulated one",
    "deploy/systemd/install.sh": "root; `make systemd-test` runs it",
    "docs/verify-by-hand.sh": "a synopsis; tests/docs/test_verify_by_hand.py runs it",
    "install": "root: it writes into /etc and /usr",
    "rm": "root",
    "mkdir": "root",
    "cp": "the reader's own files",
    "cd": "a step of the lines that follow it",
    "echo": "root: it writes into /etc",
    "make": "minutes; tests/docs/test_readme.py runs the README's first",
    ".venv/bin/python": "minutes; tests/docs/test_readme.py runs the README's first",
    ".venv/bin/audit-shipper": "tests/docs/test_readme.py runs it",
}
"""Programs that no test may or can run as the page has it, and what they would need."""

MADE_BEFORE = {
    "audit-policy.patch.yaml",
    "audit-shipper.conf",
    "audit-watch.conf",
    "cluster.yaml",
    "gatekeeper.yaml",
    "kyverno.yaml",
    "PUBLIC_KEY.pem",
    "shell.yaml",
    "signing-key.pem",
    "signing-key.pem.pub",
    "values.yaml",
    "vap.yaml",
    "vpol.yaml",
    "var/signing-key.pem.pub",
    "writer.json",
}
"""Files that the reader has made by then, as the page says."""

EXIT_CODES = {"audit-shipper rules run": 1, "audit-shipper rules doctor": 1}
"""Those that are not 0 and are meant: a rule matched; the recommended policy hides some things."""


def _lines() -> Iterator[Line]:
    for page in pages():
        name = str(page.relative_to(ROOT))
        if name not in NO_COMMANDS:
            found = command_lines(page)
            yield from (line for line in found if not (line.fenced and name in ELSEWHERE))


LINES = list(_lines())
OURS = sorted(
    {text for line in LINES if line.program == "audit-shipper" for text in written_out(line.text)}
)
OTHERS = [line for line in LINES if line.program != "audit-shipper"]


class _Receiver(BaseHTTPRequestHandler):
    """Takes every alert."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Receiver) as receiver:
        Thread(target=receiver.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{receiver.server_port}/"
        yield World(tmp_path_factory.mktemp("world"), receiver=url)
        receiver.shutdown()


@pytest.fixture(scope="module")
def bucket(world: World, ceph: Ceph) -> None:
    """The bucket of the pages' examples."""
    world.open_bucket(ceph)


@pytest.mark.parametrize("text", OURS, ids=str)
def test_the_command_does_what_the_page_says(
    world: World, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, text: str
) -> None:
    """It ends well, with all that the page's options ask for."""
    if "STORE" in text or "s3://" in text:
        request.getfixturevalue("bucket")
    monkeypatch.chdir(world.root)
    monkeypatch.setenv("no_proxy", "*")
    result = world.run(text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    meant = next((code for start, code in EXIT_CODES.items() if text.startswith(start)), 0)
    assert result.exit_code == meant, result.output


@pytest.mark.parametrize("text", OURS, ids=str)
def test_the_program_takes_the_arguments(text: str) -> None:
    """Verb, options and how many arguments: also where there is no gateway to run it with."""
    _, *words = arguments(text)
    command: click.Command = commands
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, text
        command = found
    command.make_parser(click.Context(command)).parse_args(words)


def test_every_program_is_run_or_listed() -> None:
    """A new one in a page needs a test, or a reason."""
    assert {line.program for line in OTHERS} == set(LOOKED_AT)


def test_every_page_with_scripts_of_its_own_has_its_test() -> None:
    """The test reads the page; a page without scripts is not listed."""
    for page, test in ELSEWHERE.items():
        assert Path(page).stem in (ROOT / test).read_text()
        assert any(line.fenced for line in command_lines(ROOT / page)), page


def test_every_line_is_a_shells() -> None:
    """Quotes and brackets are closed."""
    script = "".join(f"{line.text}\n" for line in LINES)
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("page", sorted({line.page for line in OTHERS}))
def test_every_file_that_is_named_is_there(page: str) -> None:
    """In the repository, or made by the reader before."""
    places, absent = {ROOT}, []
    for line in (line for line in OTHERS if line.page == page):
        words = re.split(r"[\s=@]+|file://", line.text)
        absent += [
            (line, name)
            for name in filter(NAMES_A_FILE.fullmatch, words)
            if name not in MADE_BEFORE and not any((place / name).exists() for place in places)
        ]
        if line.program == "cd":
            places.add(ROOT / words[1])
    assert absent == []


def test_what_make_and_the_bench_are_asked_for_is_there() -> None:
    """Targets, benchmarks and options, in blocks and in the text."""
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = "".join(page.read_text() for page in pages())
    asked = {line.text.split()[1] for line in OTHERS if line.program == "make"}
    assert asked | set(re.findall(r"`make ([a-z0-9-]+)", text)) <= set(targets)
    for line in (line for line in OTHERS if "-m bench " in line.text):
        words = line.text.partition("-m bench ")[2].split()
        assert set(words) <= {*BENCHMARKS, "--quick", "--full"}, line


def test_every_command_in_the_text_is_one() -> None:
    """`audit-shipper …` between backquotes: the verb is there, and so is each option."""
    for page in (page for page in pages() if str(page.relative_to(ROOT)) not in NO_COMMANDS):
        for text in re.findall(r"`audit-shipper ([^`]+)`", " ".join(page.read_text().split())):
            words = [word for word in text.split() if re.fullmatch(r"-{0,2}[a-z][a-z-]*", word)]
            command: click.Command = commands
            while isinstance(command, click.Group) and words and not words[0].startswith("-"):
                found = command.get_command(click.Context(command), words.pop(0))
                assert found is not None, f"{page}: {text}"
                command = found
            known = {name for option in command.params for name in option.opts} | {"--help"}
            assert {word for word in words if word.startswith("-")} <= known, f"{page}: {text}"
