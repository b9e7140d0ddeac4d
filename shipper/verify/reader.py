"""Reads the objects of one log: bounded, then its signature checked, before anything is believed.

The edge to the store. A `StoreError` that is no verdict (unreachable, no permission) goes up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from shipper.errors import FormatError, NotFoundError
from shipper.seal import note
from shipper.seal.keys import VerifierKey, signer_of
from shipper.store.base import Store
from shipper.verify.ahead import ReadAhead
from shipper.verify.ledger import Ledger


class Reader:
    """One log's objects. Keys are relative to the log's own prefix, as in the format.

    `name` is the log's origin; `key` the one trusted key that signs its notes, which the first
    note that verifies decides.
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

    def get(
        self,
        key: str,
        *,
        max_bytes: int,
        seq: int | None = None,
        unreadable: str = "object-unreadable",
        missing: str = "",
    ) -> bytes | None:
        """The object; None, and a problem with these codes, if there is none or it is too long."""
        try:
            return self.store.get(self.full(key), max_bytes=max_bytes)
        except NotFoundError:
            if missing:
                self.ledger.add(missing, seq=seq, key=self.full(key))
        except FormatError as error:
            self.ledger.add(unreadable, error.message, seq=seq, key=self.full(key))
        return None

    def signed(self, key: str, *, seq: int | None = None, missing: str) -> Signed | None:
        """The note at `key`, if this log's key signed it; else None, and a problem."""
        body = self.get(key, max_bytes=note.MAX_NOTE_BYTES, seq=seq, missing=missing)
        if body is None:
            return None
        try:
            parsed = note.parse(body)
        except FormatError as error:
            self.ledger.add("note-malformed", error.message, seq=seq, key=self.full(key))
            return None
        return Signed(body, parsed.text) if self.trusts(parsed, self.name, key, seq) else None

    def trusts(self, parsed: note.Note, name: str, key: str, seq: int | None = None) -> bool:
        """Whether the log's key signed the note under `name`; else a problem."""
        try:
            signer = signer_of(parsed, name, self.keys)
        except FormatError as error:
            self.ledger.add("note-unsigned", error.message, seq=seq, key=self.full(key))
            return False
        if self.key is None:
            self.key = signer
        elif signer != self.key:
            self.ledger.add("note-other-key", f"by {signer.base64}", seq=seq, key=self.full(key))
            return False
        return True


class Signed:
    """A note that verified: its bytes, and the text that was signed."""

    __slots__ = ("body", "text")

    def __init__(self, body: bytes, text: bytes) -> None:
        self.body = body
        self.text = text
