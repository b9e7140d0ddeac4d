"""The script of `docs/verify-by-hand.md`, on the golden vectors and on tampered copies of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.seal import layout, merkle, note
from shipper.seal.checkpoint import Checkpoint, encode_checkpoint
from shipper.seal.manifest import MANIFEST_VERSION
from shipper.seal.sealer import sign_note
from shipper.seal.signer import FileSigner, public_pem
from tests.vectors.generate import NEW_LOG, OLD_LOG, SEED, VECTORS

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = DOCS / "verify-by-hand.sh"
GOOD, INTEGRITY, CANNOT, MISSING = 0, 1, 3, 4

TOOLS = ["openssl", "sha256sum", "jq", "zstd", "bash"]
COREUTILS = [
    "base64", "basenc", "cat", "env", "head", "mktemp", "realpath", "rm", "split", "stat", "tail",
    "tr", "wc",
]  # fmt: skip

needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS + COREUTILS),
    reason="needs openssl 3, jq, zstd and coreutils",
)


def signer(seed: bytes = SEED) -> FileSigner:
    return FileSigner(Ed25519PrivateKey.from_private_bytes(seed))


class Archive(NamedTuple):
    """A copy of the vectors that may be spoilt: the log's directory, and the key to check with."""

    log: Path
    key: Path

    def one(self, pattern: str) -> Path:
        (found,) = self.log.glob(pattern)
        return found

    def verify(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return run(str(self.log), str(self.key), **environment)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


def copy(tmp_path: Path, origin: str) -> Archive:
    log = tmp_path / 'an archive\'s $(touch pwned) "copy"' / layout.log_prefix(origin)
    shutil.copytree(VECTORS / "store" / layout.log_prefix(origin), log)
    key = tmp_path / "the key.pem"
    shutil.copyfile(VECTORS / "public.pem", key)
    return Archive(log, key)


@pytest.fixture
def small(tmp_path: Path) -> Archive:
    """The log of four manifests: genesis, batch, heartbeat, shutdown."""
    return copy(tmp_path, NEW_LOG)


# ---- what an attacker without the key can do


def flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 0x04
    path.write_bytes(body)


def swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def replace_data(archive: Archive) -> None:
    archive.one("events/*/*/*").write_bytes(zstandard.compress(b"nothing happened here\n"))


def resign(archive: Archive, *, key_id: bytes | None = None) -> None:
    """Sign every note with another key, under the old one's id if one is given."""
    other = signer(b"\x01" * 32)
    for path in archive.log.rglob("*.note"):
        text = note.parse(path.read_bytes()).text
        line = note.Signature(NEW_LOG, key_id or other.key.key_id(NEW_LOG), other.sign(text))
        body = note.encode(text, line)
        path.unlink()
        name = path.name
        if path.parent.name == "manifest":
            name = f"{name[:13]}{hashlib.sha256(body).hexdigest()[:16]}.note"
        path.with_name(name).write_bytes(body)


def take_from_another_log(archive: Archive) -> None:
    other = VECTORS / "store" / layout.log_prefix(OLD_LOG)
    archive.one("manifest/000000000002-*").unlink()
    taken = next((other / "manifest").glob("000000000002-*"))
    shutil.copyfile(taken, archive.log / "manifest" / taken.name)


def become_another_log(archive: Archive) -> None:
    shutil.rmtree(archive.log)
    shutil.copytree(VECTORS / "store" / layout.log_prefix(OLD_LOG), archive.log)


def rename(archive: Archive) -> None:
    path = archive.one("manifest/000000000002-*")
    path.rename(path.with_name("000000000002-0123456789abcdef.note"))


def add_hostile_names(archive: Archive) -> None:
    for name in ("a b", "$(touch pwned)", "`touch pwned`", "x\ny", "-rf", "\x1b[31m;touch pwned"):
        (archive.log / "manifest" / name).write_bytes(b"\x00" * 100)


def huge_note(archive: Archive) -> None:
    with archive.one("checkpoint/000000000001-*").open("ab") as file:
        file.truncate(1 << 34)


def insert_nul(archive: Archive) -> None:
    path = archive.one("checkpoint/*4-*")
    path.write_bytes(path.read_bytes().replace(b"=\n", b"=\x00hidden\n"))


def put_a_fifo(archive: Archive) -> None:
    path = archive.one("events/*/*/*")
    path.unlink()
    os.mkfifo(path)


class Attack(NamedTuple):
    name: str
    spoil: Callable[[Archive], object]
    code: int
    says: str


ATTACKS = [
    Attack("bit in log.note", lambda a: flip(a.log / "log.note"), INTEGRITY, "log.note"),
    Attack("bit in a manifest", lambda a: flip(a.one("manifest/*1-*")), INTEGRITY, "no good sig"),
    Attack("bit in the data", lambda a: flip(a.one("events/*/*/*")), INTEGRITY, "not what was"),
    Attack(
        "bit in a checkpoint", lambda a: flip(a.one("checkpoint/*4-*")), INTEGRITY, "checkpoint"
    ),
    Attack("replaced data", replace_data, INTEGRITY, "is not what was sealed"),
    Attack(
        "cut data",
        lambda a: os.truncate(a.one("events/*/*/*"), 100),
        INTEGRITY,
        "is not what was sealed",
    ),
    Attack(
        "swapped manifests",
        lambda a: swap(a.one("manifest/*1-*"), a.one("manifest/*2-*")),
        INTEGRITY,
        "wrong name",
    ),
    Attack("renamed manifest", rename, INTEGRITY, "wrong name"),
    Attack("re-signed by another key", resign, INTEGRITY, "no good signature"),
    Attack(
        "re-signed, claiming the key's id",
        lambda a: resign(a, key_id=signer().key.key_id(NEW_LOG)),
        INTEGRITY,
        "no good signature",
    ),
    Attack("another log's manifest", take_from_another_log, INTEGRITY, "no good signature"),
    Attack("another log in this one's place", become_another_log, INTEGRITY, "place"),
    Attack("hostile names", add_hostile_names, INTEGRITY, "no good signature"),
    Attack("a note of 16 GiB", huge_note, INTEGRITY, "checkpoint"),
    Attack("a hidden NUL", insert_nul, INTEGRITY, "checkpoint"),
    Attack("a pipe for an object", put_a_fifo, MISSING, "events/"),
    Attack("no log.note", lambda a: (a.log / "log.note").unlink(), MISSING, "log.note"),
    Attack(
        "manifest deleted",
        lambda a: a.one("manifest/*2-*").unlink(),
        MISSING,
        "manifests 2 to 2",
    ),
    Attack(
        "genesis deleted",
        lambda a: a.one("manifest/*0-*").unlink(),
        MISSING,
        "manifests 0 to 0",
    ),
    Attack(
        "newest manifest deleted",
        lambda a: a.one("manifest/*3-*").unlink(),
        MISSING,
        "manifests 3 to 3: a checkpoint covers them",
    ),
    Attack("data deleted", lambda a: a.one("events/*/*/*").unlink(), MISSING, "events/"),
    Attack(
        "all checkpoints deleted",
        lambda a: shutil.rmtree(a.log / "checkpoint"),
        MISSING,
        "every checkpoint",
    ),
    Attack("all manifests deleted", lambda a: shutil.rmtree(a.log / "manifest"), CANNOT, "no mani"),
    Attack("everything deleted", lambda a: shutil.rmtree(a.log), CANNOT, "no manifests"),
]


@needs_tools
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_what_was_changed_or_taken_away_is_noticed(small: Archive, attack: Attack) -> None:
    """Each thing that can be done to a stored log without its key gives the right exit code."""
    attack.spoil(small)
    done = small.verify()
    assert (done.returncode, attack.says in done.stdout + done.stderr) == (attack.code, True), done
    assert "GOOD" not in done.stdout
    assert not list(Path().glob("pwned"))
    assert "\x1b" not in done.stdout + done.stderr


# ---- what only the holder of the key can do: seal a lie


def reseal(archive: Archive, edit: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change the manifests, then link and sign them anew and put a fitting checkpoint there."""
    paths = sorted((archive.log / "manifest").iterdir())
    manifests = [json.loads(path.read_bytes().split(b"\n")[1]) for path in paths]
    edit(manifests)
    for path in (*paths, *(archive.log / "checkpoint").iterdir()):
        path.unlink()
    prev, tree = "0" * 64, merkle.Tree()
    for manifest in manifests:
        manifest["prev"] = manifest.pop("lie", prev)
        encoded = json.dumps(manifest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        text = MANIFEST_VERSION + encoded.encode() + b"\n"
        prev = hashlib.sha256(text).hexdigest()
        tree, _ = tree.extend([merkle.leaf_hash(text)])
        body = sign_note(NEW_LOG, text, signer())
        name = layout.manifest(manifest["seq"], hashlib.sha256(body).hexdigest())
        (archive.log / name).write_bytes(body)
    checkpoint = encode_checkpoint(Checkpoint(NEW_LOG, tree.size, tree.root()))
    name = layout.checkpoint(tree.size, tree.root())
    (archive.log / name).write_bytes(sign_note(NEW_LOG, checkpoint, signer()))


def data_of(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = manifests[1]["data"]
    return data


def span_of(manifests: list[dict[str, Any]], seq: int) -> dict[str, Any]:
    span: dict[str, Any] = manifests[seq]["sources"][-1]
    return span


def jump(manifests: list[dict[str, Any]]) -> None:
    """Leave out ten bytes of the source before the batch."""
    for seq in (1, 2, 3):
        span_of(manifests, seq)["start"] += 10
        span_of(manifests, seq)["end"] += 10


def explained_jump(manifests: list[dict[str, Any]]) -> None:
    jump(manifests)
    manifests[1]["notice"] = {"reason": "source-truncated", "detail": "it was cut"}


def gap(manifests: list[dict[str, Any]]) -> None:
    jump(manifests)
    manifests[1]["notice"] = {"reason": "gap", "detail": "ten bytes could not be read"}


def earlier_file(manifests: list[dict[str, Any]]) -> None:
    """While the next file is followed already, more is read of the one before it."""
    end = span_of(manifests, 0)["end"]
    manifests[0]["sources"].append({**span_of(manifests, 0), "inode": 5, "start": 0, "end": 0})
    assert span_of(manifests, 1)["start"] == end


class Lie(NamedTuple):
    name: str
    edit: Callable[[list[dict[str, Any]]], object]
    code: int
    says: str


LIES = [
    Lie("nothing", lambda m: None, GOOD, "GOOD"),
    Lie("raw_size", lambda m: data_of(m).update(raw_size=1), INTEGRITY, "raw_size"),
    Lie("size", lambda m: data_of(m).update(size=1), INTEGRITY, "size"),
    Lie("lines", lambda m: data_of(m).update(lines=2), INTEGRITY, "lines"),
    Lie("unterminated", lambda m: data_of(m).update(unterminated=True), INTEGRITY, "unterminated"),
    Lie("partition", lambda m: data_of(m).update(key="events/x"), INTEGRITY, "events/x"),
    Lie("path", lambda m: data_of(m).update(key="../../../../etc/passwd"), INTEGRITY, "manifest 1"),
    Lie("command", lambda m: data_of(m).update(raw_size="a[$(touch pwned)]"), INTEGRITY, "format"),
    Lie("negative", lambda m: data_of(m).update(raw_size=-2), INTEGRITY, "manifest 1"),
    Lie("span", lambda m: span_of(m, 1).update(start=1), INTEGRITY, "manifest 1"),
    Lie("link", lambda m: m[2].update(lie="1" * 64), INTEGRITY, "manifest 2"),
    Lie("log", lambda m: m[2].update(log=OLD_LOG), INTEGRITY, "manifest 2"),
    Lie("genesis twice", lambda m: m[2].update(kind="genesis"), INTEGRITY, "manifest 2"),
    Lie("unknown kind", lambda m: m[2].update(kind="pause"), CANNOT, "manifest 2"),
    Lie("batch of nothing", lambda m: m[2].update(kind="batch"), INTEGRITY, "manifest 2"),
    Lie("reserved field", lambda m: m[2].update(next_vkey="x"), CANNOT, "manifest 2"),
    Lie("reserved kind", lambda m: m[2].update(kind="rotate-key"), CANNOT, "manifest 2"),
    Lie("left out", lambda m: m.pop(2), MISSING, "manifests 2 to 2"),
    Lie("jump", jump, MISSING, "bytes before manifest 1"),
    Lie("explained jump", explained_jump, GOOD, "NOTE     manifest 1: source-truncated: it"),
    Lie("gap", gap, MISSING, "manifest 1: gap: ten bytes"),
    Lie("earlier file", earlier_file, GOOD, "GOOD"),
]


@needs_tools
@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name.replace(" ", "-"))
def test_a_log_whose_own_key_signed_a_contradiction_is_noticed(small: Archive, lie: Lie) -> None:
    """Numbers, links, names, sizes and positions must fit each other, signed or not."""
    reseal(small, lie.edit)
    done = small.verify()
    assert (done.returncode, lie.says in done.stdout + done.stderr) == (lie.code, True), done
    assert not list(Path().glob("pwned"))


@needs_tools
def test_a_fork_is_noticed(small: Archive) -> None:
    """Two signed manifests with one number are a broken chain."""
    kept = small.one("manifest/*2-*").read_bytes()
    name = small.one("manifest/*2-*").name
    reseal(small, lambda m: m[2].update(malformed_lines=7))
    (small.log / "manifest" / name).write_bytes(kept)
    assert small.verify().returncode == INTEGRITY


@needs_tools
def test_a_bomb_is_not_decompressed_beyond_the_signed_size(small: Archive) -> None:
    """An object of 4 GiB behind a signed raw_size of a few hundred bytes costs neither."""
    compressor = zstandard.ZstdCompressor().compressobj()
    block = bytes(1 << 24)
    bomb = b"".join(compressor.compress(block) for _ in range(256)) + compressor.flush()

    def name_it(manifests: list[dict[str, Any]]) -> None:
        digest = hashlib.sha256(bomb).hexdigest()
        data = data_of(manifests)
        key = data["key"][: -len("0123456789abcdef.ndjson.zst")] + digest[:16] + ".ndjson.zst"
        data.update(sha256=digest, size=len(bomb), key=key)
        (small.log / key).write_bytes(bomb)

    reseal(small, name_it)
    done = small.verify()
    assert done.returncode == INTEGRITY
    assert "raw_size" in done.stdout


# ---- good archives


@needs_tools
def test_the_large_log_is_good(tmp_path: Path) -> None:
    """The vectors' 260 manifests verify with the tools named and no other, from any directory."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS + COREUTILS:
        (tools / tool).symlink_to(shutil.which(tool) or "")
    done = copy(tmp_path, OLD_LOG).verify(PATH=str(tools))
    assert done.returncode == GOOD, done
    assert done.stderr == ""
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"GOOD     {OLD_LOG}: manifests 0 to 259, the newest of 2026-11-23T17:")
    notices = [line for line in done.stdout.splitlines() if line.startswith("NOTE")]
    assert [line.split()[2] for line in notices] == ["5:", "8:", "11:", "13:", "14:"]


@needs_tools
def test_tiles_and_bundles_are_checked_and_the_lowest_code_wins(tmp_path: Path) -> None:
    """A changed tile and a missing bundle are both named; the code is that of the changed one."""
    archive = copy(tmp_path, OLD_LOG)
    flip(archive.log / "tile/0/000")
    (archive.log / "tile/entries/000").unlink()
    done = archive.verify()
    assert done.returncode == INTEGRITY
    assert "BAD      tile/0/000" in done.stdout
    assert "MISSING  tile/entries/000" in done.stdout


@needs_tools
def test_signatures_of_others_do_no_harm(small: Archive) -> None:
    """A line by an unknown key, such as a witness's, is passed over."""
    for path in (small.log / "log.note", *(small.log / "checkpoint").iterdir()):
        line = f"\u2014 witness.example.com {'A' * 91}=\n".encode()
        path.write_bytes(path.read_bytes() + line)
    assert small.verify().returncode == GOOD


@needs_tools
def test_the_superseded_log_is_named(small: Archive) -> None:
    """The old head stands in the output, since one run proves one log."""
    assert f"NOTE     manifest 0: supersedes {OLD_LOG} 259: " in small.verify().stdout


# ---- the command line


@needs_tools
def test_a_wrong_command_line_is_code_3(small: Archive, tmp_path: Path) -> None:
    """Arguments, log or key that are not what they should be: one line, code 3, nothing proved."""
    private = tmp_path / "private"
    private.write_bytes(b"not a key")
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments in (
        (),
        (str(small.log),),
        (str(small.log), str(private)),
        (str(small.log), str(tmp_path / "none")),
        (str(empty), str(small.key)),
        (str(tmp_path / "none" / "none"), str(small.key)),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (CANNOT, ""), arguments
        assert done.stderr.startswith("CANNOT")
        assert done.stderr.count("\n") == 1


@needs_tools
def test_the_wrong_key_proves_nothing(small: Archive) -> None:
    """With another public key than the log's the answer is code 1."""
    small.key.write_bytes(public_pem(Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)))
    assert small.verify().returncode == INTEGRITY


@needs_tools
def test_a_missing_tool_is_named(small: Archive, tmp_path: Path) -> None:
    """Without jq nothing is checked, and it is said."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in {*TOOLS, *COREUTILS} - {"jq"}:
        (tools / tool).symlink_to(shutil.which(tool) or "")
    done = small.verify(PATH=str(tools))
    assert (done.returncode, "jq" in done.stderr) == (CANNOT, True)


# ---- the page


def test_the_page_quotes_the_script() -> None:
    """`verify-by-hand.md` holds the script as it is run here, in at most 60 lines."""
    script = SCRIPT.read_text()
    assert f"```bash\n{script}```\n" in (DOCS / "verify-by-hand.md").read_text()
    assert len(script.splitlines()) <= 60
    assert os.access(SCRIPT, os.X_OK)
