"""Goes along one log from manifest to manifest, and checks all that hangs on each.

Holds the log's state between two manifests, never the log. What is read comes from `Reader`; every
rule is in its own module.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from shipper.errors import FormatError, VersionError
from shipper.model import Manifest
from shipper.seal.manifest import FIRST_PREV, decode_manifest
from shipper.seal.merkle import TILE_WIDTH, Tile, Tree, leaf_hash, leaf_hashes
from shipper.verify import manifests
from shipper.verify.chain import Chain
from shipper.verify.checkpoints import Checkpoints
from shipper.verify.manifests import Found
from shipper.verify.payload import Payload
from shipper.verify.reader import Reader
from shipper.verify.request import Progress
from shipper.verify.sources import KnownFile, Sources
from shipper.verify.tiles import Tiles, read_bundle


class Start(NamedTuple):
    """Where a walk begins: the state after manifest `seq - 1`. None is not known.

    `seen`: (number, text's hash) of a manifest that the log's owner has seen before.
    """

    seq: int = 0
    prev: str | None = FIRST_PREV
    tree: Tree | None = Tree()
    wall: datetime | None = None
    boots: dict[str, int] | None = None
    files: tuple[KnownFile, ...] = ()
    files_complete: bool = True
    seen: tuple[int, str] | None = None


class Walk:
    """One log on its way. `tiles` None: hash tiles and entry bundles are not compared."""

    def __init__(
        self,
        reader: Reader,
        start: Start,
        payload: Payload,
        *,
        tiles: Tiles | None,
        progress: Progress,
    ) -> None:
        self.tree = start.tree
        self.chain = Chain(
            reader.name,
            reader.ledger,
            seq=start.seq,
            prev=start.prev,
            wall=start.wall,
            boots=start.boots,
        )
        self.sources = Sources(reader.ledger, start.files, complete=start.files_complete)
        self.payload = payload
        self.manifests = 0
        self.genesis: Manifest | None = None
        self._reader = reader
        self._tiles = tiles
        self._progress = progress
        self._seen = start.seen
        self._bundle: tuple[int, list[bytes] | None] = (-1, None)

    def root(self) -> bytes | None:
        """The tree's root so far."""
        return None if self.tree is None else self.tree.root()

    # ---- from manifest notes

    def along_notes(self, checkpoints: Checkpoints | None, *, stop: int | None = None) -> None:
        """Take every manifest note from here on (up to number `stop`)."""
        if checkpoints is not None:
            checkpoints.reach(self.chain.seq, self.root)
        while self._take_listed(checkpoints, stop):
            # A log that is being written to may have grown since it was listed.
            if checkpoints is None or not checkpoints.waiting:
                break

    def _take_listed(self, checkpoints: Checkpoints | None, stop: int | None) -> bool:
        """One pass over the listing; whether it had anything new."""
        began = self.chain.seq
        after = manifests.from_number(manifests.PLACE, began)
        listed = manifests.numbered(self._reader, manifests.PLACE, after=after)
        for seq, group in groupby(listed, key=lambda pair: pair[0]):
            if stop is not None and seq > stop:
                break
            keys = (key for _, key in group)
            found = manifests.choose(self._reader, seq, keys, self.chain.prev)
            if found is None:
                continue
            self.pass_over(seq)
            self.take(found)
            if checkpoints is not None:
                checkpoints.reach(self.chain.seq, self.root)
        return self.chain.seq > began

    def take(self, found: Found, *, signed: bool = True, grow: bool = True) -> None:
        """Go on to this manifest. `grow` False: the caller grows the tree, for many at once."""
        if self._tiles is not None:
            self._tiles.settle(required=True)
        seq = self.chain.seq
        if found.manifest is None:
            self.chain.advance(found.text)
            self.sources.lose_track()
        else:
            self._take_known(seq, found.manifest, found.text, signed)
        if self._seen is not None and self._seen[0] == seq and self._seen[1] != self.chain.prev:
            self._reader.ledger.add("head-rewritten", seq=seq)
        if grow:
            self._grow([leaf_hash(found.text)])
        self.manifests += 1
        if not self.manifests % TILE_WIDTH or (found.manifest and found.manifest.data):
            self._progress(self._reader.name, self.manifests, self.payload.raw_bytes)

    def _take_known(self, seq: int, manifest: Manifest, text: bytes, signed: bool) -> None:
        self.chain.accept(manifest, text)
        files = self.sources.accept(manifest)
        if not seq:
            self.genesis = manifest
        if not self.payload.check(seq, manifest, files, signed=signed):
            self.sources.forget_prefixes(files)

    def _grow(self, leaves: list[bytes]) -> list[Tile]:
        if self.tree is None:
            return []
        self.tree, completed = self.tree.extend(leaves)
        if self._tiles is not None:
            self._tiles.completed(completed)
        return completed

    # ---- from entry bundles

    def along_bundles(self, until: int) -> None:
        """Take the manifests before number `until` (a multiple of 256) from entry bundles.

        Nobody has signed a bundle: links and a signed root prove what is in it, or do not. Where
        one is missing or wrong, the manifest notes serve.
        """
        while self.chain.seq < until:
            number, skip = divmod(self.chain.seq, TILE_WIDTH)
            texts = read_bundle(self._reader, number, required=True)
            found = None if texts is None else self._decode(number, texts)
            if texts is None or found is None:
                end = (number + 1) * TILE_WIDTH
                self.along_notes(None, stop=end - 1)
                self.pass_over(end)
                continue
            for one in found[skip:]:
                self.take(one, signed=False, grow=False)
            leaves = leaf_hashes(texts)
            completed = self._grow(leaves[skip:])
            if skip and completed and completed[0].body != b"".join(leaves):
                self._reader.ledger.add("bundle-wrong", seq=number * TILE_WIDTH)

    def _decode(self, number: int, texts: list[bytes]) -> list[Found] | None:
        decoded: list[Found] = []
        for text in texts:
            seq = number * TILE_WIDTH + len(decoded)
            try:
                decoded.append(Found(text, decode_manifest(text)))
            except VersionError as error:
                self._reader.ledger.add("version-newer", error.message, seq=seq)
                decoded.append(Found(text, None))
            except FormatError as error:
                self._reader.ledger.add("bundle-wrong", error.message, seq=seq)
                return None
        return decoded

    # ---- where there is nothing

    def pass_over(self, until: int) -> None:
        """No manifest verifies before `until`: go on from their entry bundles, as far as these go.

        What a bundle says is nobody's word, but links and roots prove it or do not.
        """
        first = self.chain.seq
        if first >= until:
            return
        what = f"number {first}" if until == first + 1 else f"numbers {first} to {until - 1}"
        self._reader.ledger.add("manifest-missing", what, seq=first)
        while self.chain.seq < until:
            found = self._from_bundle(self.chain.seq)
            if found is None:
                self.chain.jump(until)
                self.sources.lose_track()
                self.tree = None
                return
            self.take(found, signed=False)

    def _from_bundle(self, seq: int) -> Found | None:
        number = seq // TILE_WIDTH
        if self._bundle[0] != number:
            self._bundle = (number, read_bundle(self._reader, number, required=False))
        texts = self._bundle[1]
        if texts is None:
            return None
        text = texts[seq % TILE_WIDTH]
        try:
            return Found(text, decode_manifest(text))
        except FormatError:
            return None
