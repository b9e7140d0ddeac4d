"""Reads the objects of one log: bounded, then its signature checked, before anything is believed.

The edge to the store. A `StoreError` that is no verdict (unreachable, no permission) goes up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from shipper.errors import FormatError, NotFoundError, RefusedError
from shipper.seal import note
from shipper.seal.keys import VerifierKey, signer_of
from shipper.store.base import Entry, Store
from shipper.verify.ahead import ReadAhead
from shipper.verify.ledger import Ledger

Right = Callable[[bytes], bool]
"""Whether these bytes are those that belong under a key."""

_MOST_OVERLAID = 100_000
"""Objects with several versions that are remembered; of more, only what is wrong is looked for."""


class Reader:
    """One log's objects. Keys are relative to the log's own prefix, as in the format.

    `name` is the log's origin; `key` the one trusted key that signs its notes, which the first
    note that verifies decides. `copies` counts versions beside an object that have its bytes.

    Of several versions of an object the oldest comes first: nobody can put one before it. What a
    delete marker hides is read all the same.
    """

    def __init__(
        self, store: Store, prefix: str, keys: Sequence[VerifierKey], ledger: Ledger
    ) -> None:
        self.store = store
        self.prefix = prefix
        self.keys = keys
        self.ledger = ledger
        self.name = ""
        self.key: VerifierKey | None = None
        self.copies = 0
        self._oldest: dict[str, str] = {}

    def full(self, key: str) -> str:
        """The key as the store knows it."""
        return self.prefix + key

    @contextmanager
    def ahead(self, plan: Iterable[tuple[str, int]]) -> Iterator[None]:
        """Fetch what is planned before it is asked for, as long as the context lasts."""
        store = self.store
        with ReadAhead(store) as self.store:
            self.store.expect(plan)
            yield
        self.store = store

    def listed(self, entry: Entry) -> None:
        """Take note of an object's versions: one that is written once has one, and no marker."""
        if entry.markers:
            many = "a delete marker" if entry.markers == 1 else f"{entry.markers} delete markers"
            self.ledger.add("object-hidden", many, key=entry.key)
        if entry.versions <= 1 or entry.key in self._oldest:
            return
        if len(self._oldest) < _MOST_OVERLAID:
            self._oldest[entry.key] = entry.version
        if self._are_copies(entry):
            self.copies += entry.versions - 1
        else:
            self.ledger.add("object-overlaid", f"{entry.versions} versions", key=entry.key)

    def get(
        self,
        key: str,
        *,
        max_bytes: int,
        right: Right = lambda _body: True,
        seq: int | None = None,
        unreadable: str = "object-unreadable",
        missing: str = "",
        wrong: str = "",
    ) -> bytes | None:
        """The version that is `right`; None, and a problem with these codes, if there is none.

        Without `wrong`, what is there is better than nothing.
        """
        full = self.full(key)
        first: bytes | None = None
        refused: FormatError | None = None
        denied: RefusedError | None = None
        for version in self._candidates(full):
            try:
                body = self.store.get(full, max_bytes=max_bytes, version=version)
            except NotFoundError:
                continue
            except FormatError as error:
                refused = refused or error
                continue
            except RefusedError as error:  # of one version, by whoever stored that
                denied = denied or error
                continue
            if right(body):
                return body
            first = body if first is None else first
        if denied is not None:
            raise denied
        if refused is not None and first is None:
            self.ledger.add(unreadable, refused.message, seq=seq, key=full)
        elif code := missing if first is None else wrong:
            self.ledger.add(code, seq=seq, key=full)
        return None if wrong else first

    def _candidates(self, full: str) -> Iterator[str]:
        """The oldest version if several are known, else the current one; then all others."""
        first = self._oldest.get(full, "")
        yield first
        yield from (version for version in self.store.versions(full) if version not in ("", first))

    def _are_copies(self, entry: Entry) -> bool:
        versions = self.store.versions(entry.key)
        if len(versions) != entry.versions:
            return False
        bodies = set()
        try:
            for version in versions:
                bodies.add(self.store.get(entry.key, max_bytes=entry.size, version=version))
                if len(bodies) > 1:
                    return False
        except (FormatError, NotFoundError, RefusedError):
            return False
        return True

    def signed(
        self, key: str, *, at: Right = lambda _body: True, seq: int | None = None, missing: str
    ) -> Signed | None:
        """The note at `key`, if this log's key signed it; else None, and a problem.

        `at`: whether a note of these bytes has its place there.
        """
        verified: dict[bytes, tuple[note.Note, VerifierKey]] = {}

        def right(body: bytes) -> bool:
            try:
                parsed = note.parse(body)
                verified[body] = parsed, signer_of(parsed, self.name, self.keys)
            except FormatError:
                return False
            return at(body)

        body = self.get(key, max_bytes=note.MAX_NOTE_BYTES, right=right, seq=seq, missing=missing)
        if body is None:
            return None
        if body not in verified:
            self._say_why_not(body, key, seq)
            return None
        parsed, signer = verified[body]
        return Signed(body, parsed.text) if self._is_own(signer, key, seq) else None

    def trusts(self, parsed: note.Note, name: str, key: str) -> bool:
        """Whether the log's key signed the note under `name`; else a problem."""
        try:
            signer = signer_of(parsed, name, self.keys)
        except FormatError as error:
            self.ledger.add("note-unsigned", error.message, key=self.full(key))
            return False
        return self._is_own(signer, key)

    def _is_own(self, signer: VerifierKey, key: str, seq: int | None = None) -> bool:
        if self.key is None:
            self.key = signer
        elif signer != self.key:
            self.ledger.add("note-other-key", f"by {signer.base64}", seq=seq, key=self.full(key))
            return False
        return True

    def _say_why_not(self, body: bytes, key: str, seq: int | None) -> None:
        try:
            parsed = note.parse(body)
        except FormatError as error:
            self.ledger.add("note-malformed", error.message, seq=seq, key=self.full(key))
            return
        try:
            signer_of(parsed, self.name, self.keys)
        except FormatError as error:
            self.ledger.add("note-unsigned", error.message, seq=seq, key=self.full(key))


class Signed:
    """A note that verified: its bytes, and the text that was signed."""

    __slots__ = ("body", "text")

    def __init__(self, body: bytes, text: bytes) -> None:
        self.body = body
        self.text = text
