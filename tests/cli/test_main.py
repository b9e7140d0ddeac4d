"""The command line: every mistake is one line and an exit code as designed, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipper.cli import main
from tests.daemon import Place

AUDIT_SHIPPER = [sys.executable, "-m", "shipper"]
KEY = "A" * 43 + "="


def call(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The program as a person calls it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [*AUDIT_SHIPPER, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env=environment,
    )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


MISTAKES = [
    (["run", "--config", "/none.yaml"], 2, "there is no configuration at /none.yaml"),
    (["check", "--config", "{folder}"], 2, "cannot be read"),
    (["verify", "file:///none", "--key", "nonsense"], 2, "neither a file nor an Ed25519"),
    (["verify", "file:///none"], 2, "--key"),
    (["verify", "s4://x", "--key", KEY], 2, "not the URL of a store"),
    (["verify", "file:///none", "--key", KEY], 3, "/none"),
    (["verify", "file:///none", "--key", KEY, "--max-age", "soon"], 2, "not a duration"),
    (["cat", "file:///none", "--key", KEY], 3, "/none"),
    (["cat", "file:///none", "--key", KEY, "--seq", "x"], 2, "x"),
    (["keys", "show", "/none.pem"], 2, "there is no signing key"),
    (["keys", "generate", "/none/key.pem"], 2, "cannot be written"),
    (["status", "--config", "/none.yaml"], 2, "no configuration"),
    (["rules", "list", "--rules", "/none.yaml"], 2, "/none.yaml: cannot be read"),
    (["rules", "list", "--config", "/none.yaml"], 2, "there is no configuration"),
    (["rules", "run", "/none.log"], 3, "/none.log cannot be read"),
    (["rules", "doctor", "/none.yaml"], 2, "no audit policy"),
    (["rules", "bogus"], 2, "No such command"),
    (["bogus"], 2, "No such command"),
    (["run", "--bogus"], 2, "No such option"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), MISTAKES)
def test_a_mistake_is_one_clear_line(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    """The message names the place; the exit code is the designed one; there is no traceback."""
    done = call(*(word.format(folder=tmp_path) for word in arguments))
    said = done.stderr + done.stdout
    assert done.returncode == code, said
    assert message in said
    assert "Traceback" not in said


def test_help_states_the_exit_codes() -> None:
    """`--help` lists them all."""
    done = call("--help")
    assert done.returncode == 0
    for code in range(8):
        assert f"\n    {code}  " in done.stdout


def test_keys_are_made_once(tmp_path: Path) -> None:
    """`keys generate` prints the public key, writes 0600, and never overwrites; `show` agrees."""
    file = tmp_path / "key.pem"
    made = call("keys", "generate", str(file))
    assert made.returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert call("keys", "show", str(file)).stdout == made.stdout
    before = file.read_bytes()
    again = call("keys", "generate", str(file))
    assert again.returncode == 2
    assert "never overwritten" in again.stderr
    assert file.read_bytes() == before


def test_an_interrupted_verify_is_not_a_verdict(place: Place) -> None:
    """Ctrl-C ends with 3, could not check: never with 1, which would mean tampering."""
    place.log.write_bytes(b"one\n")
    place.once()
    os.mkfifo(place.root / "key")  # reading the key waits for ever
    process = subprocess.Popen(
        [*AUDIT_SHIPPER, "verify", place.url, "--key", str(place.root / "key")],
        stderr=subprocess.PIPE,
    )
    time.sleep(1.5)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode in (2, 3), said
    assert b"Traceback" not in said


def test_output_on_a_full_disk_is_no_verdict() -> None:
    """One line and exit code 3: 1 would mean tampering, or a denied manifest."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*AUDIT_SHIPPER, "config", "schema"], check=False, stdout=full, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (3, b"error: [Errno 28] No space left on device\n")


def test_a_defect_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where it is, for the one who mends it; and exit code 3."""

    def broken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(main, "commands", broken)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 3


DIES = """
from shipper.cli import main

def dies(*_):
    raise BrokenPipeError(32, "Broken pipe")

main.click.Group.invoke = dies
main.main()
"""


def test_another_broken_pipe_is_not_quiet() -> None:
    """Only who reads our output may leave without a word; a process of ours that dies may not."""
    done = subprocess.run([sys.executable, "-c", DIES, "keys"], check=False, capture_output=True)
    assert done.returncode == 3
    assert done.stderr == b"error: a process of ours has died: Broken pipe\n"


def test_a_closed_pipe_is_quiet(place: Place) -> None:
    """`cat | head` does not end in a traceback."""
    place.log.write_bytes(b"x" * 100 + b"\n" + b"y\n" * 2_000_000)
    place.once()
    command = f"{sys.executable} -m shipper cat {place.url} --key {place.public} | head -c 10"
    done = subprocess.run(["bash", "-c", command], check=True, capture_output=True, timeout=60)
    assert done.stdout == b"x" * 10
    assert done.stderr == b""
