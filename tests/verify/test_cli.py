"""`verify` and `cat` as a person calls them: output, standard error, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper.cli.cat import cat as cat_command
from shipper.cli.verify import verify as verify_command
from shipper.errors import ConfigError, ShipperError
from shipper.store.memory import MemoryStore
from tests.verify.archive import (
    NODE,
    ORIGIN,
    PREFIX,
    Log,
    dump,
    fill_small,
    keys_of,
    line,
    objects,
    signer,
    small,
)

KEY = signer().key.base64
NEXT = f"{NODE}/00000000000000bb"


def call(command: Any, *arguments: str) -> Result:
    """What the command does with these arguments; errors for people go up."""
    result = CliRunner().invoke(command, arguments)
    if isinstance(result.exception, ShipperError):
        raise result.exception
    return result


def stored(log: Log, tmp_path: Path) -> str:
    """The URL of a directory with the log in it."""
    assert isinstance(log.store, MemoryStore)
    return f"file://{dump(log.store, tmp_path / 'archive')}"


def two(tmp_path: Path) -> tuple[str, bytes]:
    """An archive in which one log goes on from another, and all its lines in order."""
    # The later one has the smaller name: order comes from succession, not from names.
    store = MemoryStore()
    old = fill_small(Log(store, NEXT))
    new = Log(store, begin=old.wall, boot="2", supersedes=old.last(), source=old.source)
    fill_small(new)
    return stored(new, tmp_path), old.raw + new.raw


def test_text_is_for_people(tmp_path: Path) -> None:
    """The report on a pipe is plain text that says what holds, of which log, up to where."""
    result = call(verify_command, stored(small(), tmp_path), "--key", KEY)
    assert result.exit_code == 0
    for words in ("integrity     holds", ORIGIN, "8 manifests from number 0 to 7", "spool-full"):
        assert words in result.stdout
    assert "\x1b" not in result.stdout


def test_json_is_for_programs(tmp_path: Path) -> None:
    """Every problem has its verdict, log, number, key, code and sentence."""
    log = small()
    key = keys_of(log, "events/")[0]
    del objects(log)[key]
    result = call(verify_command, stored(log, tmp_path), "--key", KEY, "--output", "json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["exit_code"], report["version"]) == (4, 4, 1)
    (problem,) = report["logs"][0]["problems"]
    assert problem.pop("says").startswith("The batch's data is gone")
    assert problem == {
        "verdict": "completeness", "state": "fails", "code": "data-missing", "log": ORIGIN,
        "seq": 1, "key": key,
    }  # fmt: skip


def test_options_reach_the_verification(tmp_path: Path) -> None:
    """Depth, age, window and log are what was asked for."""
    url = stored(small(), tmp_path)
    assert "no data was read" in call(verify_command, url, "--key", KEY, "--depth", "chain").stdout
    assert call(verify_command, url, "--key", KEY, "--max-age", "1h").exit_code == 5
    assert call(verify_command, url, "--key", KEY, "--log", "nope").exit_code == 3
    since = call(verify_command, url, "--key", KEY, "--since", "2026-11-23T14:00:25Z")
    assert "2 batches" in since.stdout
    until = call(verify_command, url, "--key", KEY, "--until", "2026-11-23T15:00:25+01:00")
    assert "1 batches" in until.stdout
    assert call(verify_command, url, "--key", KEY, "--since", "30d").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--since", "yesterday"], ["--since", "2026-11-23T14:00:25"], ["--max-age", "old"],
        ["--since", "1d", "--head", "x"], ["--key", "x"], ["--since", "999999999999d"],
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_a_usage_error(arguments: list[str], tmp_path: Path) -> None:
    """Exit code 2 and one line that says how to write it."""
    url = stored(small(), tmp_path)
    with pytest.raises(ConfigError):
        call(verify_command, url, "--key", KEY, *arguments)


@pytest.mark.parametrize("url", ["nonsense", "s4://bucket", "file://host/path", "file:relative"])
def test_a_url_that_is_none_is_a_usage_error(url: str) -> None:
    """A malformed STORE is named before anything is read."""
    with pytest.raises(ConfigError):
        call(verify_command, url, "--key", KEY)


def test_the_head_file_is_kept(tmp_path: Path) -> None:
    """--head writes what was seen, notices what is gone, and leaves a good file as it was."""
    url, head = stored(small(), tmp_path), str(tmp_path / "heads.json")
    assert call(verify_command, url, "--key", KEY, "--head", head).exit_code == 0
    written = Path(head).read_bytes()
    assert "nothing new" in call(verify_command, url, "--key", KEY, "--head", head).stdout
    archive = tmp_path / "archive" / PREFIX
    for place in ("manifest", "checkpoint"):
        max((archive / place).iterdir()).unlink()
    result = call(verify_command, url, "--key", KEY, "--head", head)
    assert result.exit_code == 4
    assert "head-shorter" in result.stdout
    assert Path(head).read_bytes() == written


def test_cat_gives_all_bytes_back(tmp_path: Path) -> None:
    """The logs of a node are printed in succession order, byte for byte."""
    url, raw = two(tmp_path)
    result = call(cat_command, url, "--key", KEY)
    assert (result.exit_code, result.stdout_bytes, result.stderr) == (0, raw, "")
    one = call(cat_command, url, "--key", KEY, "--log", NEXT)
    assert one.stdout_bytes == raw[: len(raw) // 2]


@pytest.mark.parametrize(
    ("seq", "batches"),
    [
        ("1", [0]), ("3", [1]), ("3-4", [1, 2]), ("2-3", [1]), ("3-", [1, 2]), ("5", []),
        ("0-", [0, 1, 2]),
    ],
)  # fmt: skip
def test_cat_gives_a_range(seq: str, batches: list[int], tmp_path: Path) -> None:
    """--seq N, N-M and N- print the batches among those manifests."""
    log = small()
    first, rest = log.raw.split(line(5))
    second, third = (line(5) + rest).split(b" line\n")
    held = [first, second, b" line\n" + third]
    result = call(cat_command, stored(log, tmp_path), "--key", KEY, "--seq", seq)
    expected = b"".join(held[number] for number in batches)
    assert (result.exit_code, result.stdout_bytes, result.stderr) == (0, expected, "")


def test_cat_beyond_the_end_says_so(tmp_path: Path) -> None:
    """What is there of the range is printed; that it ends too early makes the exit code."""
    log = small()
    result = call(cat_command, stored(log, tmp_path), "--key", KEY, "--seq", "0-9")
    assert (result.exit_code, result.stdout_bytes) == (3, log.raw)
    assert "ends before number 9" in result.stderr


def test_cat_prints_nothing_that_does_not_verify(tmp_path: Path) -> None:
    """A changed batch is left out, named on standard error, and makes the exit code."""
    log = small()
    key = keys_of(log, "events/")[1]
    objects(log)[key] = objects(log)[key][:-1] + b"\x00"
    result = call(cat_command, stored(log, tmp_path), "--key", KEY)
    assert (result.exit_code, b"torn" in result.stdout_bytes) == (1, False)
    assert b"00000000" in result.stdout_bytes
    assert "number 3: data-hash" in result.stderr


def test_cat_prints_nothing_that_nobody_signed(tmp_path: Path) -> None:
    """Where a manifest is gone, what its entry bundle says is not enough to print its data."""
    log = Log(MemoryStore())
    log.batch(b"the deed\n")
    while log.head.seq < 300:
        log.add("heartbeat")
    log.end()
    del objects(log)[keys_of(log, "manifest/")[1]]
    result = call(cat_command, stored(log, tmp_path), "--key", KEY)
    assert (result.exit_code, result.stdout_bytes) == (4, b"")


def test_cat_of_nothing_is_not_good(tmp_path: Path) -> None:
    """An unknown log, an empty store and a wrong key print nothing and say so."""
    url = stored(small(), tmp_path)
    assert call(cat_command, url, "--key", KEY, "--log", "nope").exit_code == 3
    assert call(cat_command, f"file://{tmp_path}/nowhere", "--key", KEY).exit_code == 3
    wrong = call(cat_command, url, "--key", signer(5).key.base64)
    assert (wrong.exit_code, wrong.stdout_bytes) == (1, b"")


@pytest.mark.parametrize("seq", ["x", "5-3", "-3", "1-2-3", ""])
def test_a_range_that_is_none_is_a_usage_error(seq: str, tmp_path: Path) -> None:
    """--seq says how it is to be written."""
    with pytest.raises(ConfigError):
        call(cat_command, stored(small(), tmp_path), "--key", KEY, "--seq", seq)


def test_a_range_of_several_logs_is_a_usage_error(tmp_path: Path) -> None:
    """Numbers are those of one log."""
    url, _ = two(tmp_path)
    with pytest.raises(ConfigError, match="--log"):
        call(cat_command, url, "--key", KEY, "--seq", "1")


def run(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """The program itself."""
    program = [sys.executable, "-c", "from shipper.cli.main import main; main()", *arguments]
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    """`cat STORE | head` ends without a word."""
    log = Log(MemoryStore())
    for _ in range(40):
        log.batch(os.urandom(50_000).hex().encode() + b"\n")
    process = run("cat", stored(log, tmp_path), "--key", KEY)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 3  # could not print all of it


def test_hostile_names_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    """Escape sequences and bytes that are no text come out as text, in either form."""
    url = stored(small(), tmp_path)
    name = os.fsencode(tmp_path / "archive" / PREFIX / "manifest") + b"/\x1b]0;owned\x07\xff"
    Path(os.fsdecode(name)).write_bytes(b"")
    for form in ("text", "json"):
        process = run("verify", url, "--key", KEY, "--output", form)
        out, err = process.communicate()
        assert (process.returncode, err, b"\x1b" in out) == (1, b"", False)
        assert b"x1b]0;owned" in out


def test_a_log_in_a_place_that_is_no_text_is_reported(tmp_path: Path) -> None:
    """Whoever may write to the store chooses the names of places too; none ends the report."""
    url = stored(small(), tmp_path)
    place = os.fsencode(tmp_path / "archive") + b"/prod/\xff/abc"
    os.makedirs(place)
    Path(os.fsdecode(place + b"/log.note")).write_bytes(b"")
    for form in ("text", "json"):
        result = call(verify_command, url, "--key", KEY, "--output", form)
        assert (result.exit_code, "udcff/abc" in result.output) == (1, True)


def test_an_error_is_one_line(tmp_path: Path) -> None:
    """What a person can mend is said in one line, with exit code 2."""
    out, err = run("verify", f"file://{tmp_path}", "--key", "x").communicate()
    assert out == b""
    assert err.startswith(b"error: ")
    assert err.count(b"\n") == 1


def test_cat_prints_findings(tmp_path: Path) -> None:
    """What the rules found, as it was sealed, a JSON text a line, and no event."""
    result = call(cat_command, stored(small(), tmp_path), "--key", KEY, "--findings")
    assert result.exit_code == 0
    found = [json.loads(text) for text in result.stdout.splitlines()]
    assert [(one["line"], one["severity"]) for one in found] == [
        (1, "low"),
        (4, "high"),
        (0, "low"),
    ]
