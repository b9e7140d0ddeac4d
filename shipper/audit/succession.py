"""Which file comes after the one being read: rotated siblings in time order, then the live file.

Reads nothing but heads, and never offers a file twice: every rotated file is either ahead of the
reader or behind it. The set of those behind is kept by stamp and not as one newest stamp, so that a
clock set back between two rotations hides no file.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from shipper.audit.access import identity_of, shown, stat_of
from shipper.audit.plain import identifies
from shipper.audit.siblings import Sibling, list_siblings
from shipper.audit.source import SourceFile, open_source
from shipper.audit.tail import notice
from shipper.model import Notice

_ATTEMPTS = 8
_HELD_FILES = 3


class Succession:
    """The order of the files of one log, as far as it can be seen from their names."""

    def __init__(self, live: Path) -> None:
        self._live = live
        self._behind: set[datetime] = set()
        self._ahead: list[Sibling] = []
        self._adjacent: set[datetime] = set()  # those listed while the current file was there
        self._notices: list[Notice] = []
        self._known_live: tuple[int, int] | None = None
        self._held: list[SourceFile] = []

    def skip(self, stamps: Iterable[datetime]) -> None:
        """These rotated files are behind the reader."""
        self._behind.update(stamps)

    def skip_copies(self, source: SourceFile) -> None:
        """Rotated files ahead that are copies of `source` are behind the reader as well."""
        for sibling in self._survey(source):
            copy = open_source(sibling.path, live=self._live)
            if copy is not None:
                head = source.head_bytes
                if identifies(head) and copy.head_bytes.startswith(head):
                    self._behind.add(sibling.stamp)
                copy.close()

    def notices(self) -> list[Notice]:
        """What was found missing since the last call."""
        found, self._notices = self._notices, []
        return found

    def is_live(self, source: SourceFile) -> bool:
        """Whether `source` is what the live path names. While it is open nobody has its inode."""
        return identity_of(self._live, follow=True) == source.identity

    def note_rotation(self, source: SourceFile) -> None:
        """Give `source` its new name if it was rotated, however far its reader has come.

        A position recorded under that name says, if the file is gone at the next start, which
        rotated files come after it.
        """
        if source.stamp is not None or not source.was_live:
            return
        identity = identity_of(self._live, follow=True)
        # One search for each live file: after an outside rename there is nothing to be found.
        if identity is not None and identity not in (source.identity, self._known_live):
            self._known_live = identity
            self._survey(source)

    def next(self, current: SourceFile | None) -> SourceFile | None:
        """The file after `current`, opened; None as long as no such file holds a byte.

        To be called when `current` is not live. A rotated file that is empty is passed over. If
        there is no current file to be kept open, an empty live file is better than none.
        """
        for _ in range(_ATTEMPTS):
            held = self._release(current)
            if held is not None or self._waiting():
                return held
            ahead = self._survey(current)
            chosen = self._first_with_bytes(ahead)
            if chosen is None:
                if self._hold_live(current):
                    continue
                return None
            source = open_source(chosen.path, live=self._live)
            if source is None:
                continue  # compressed or removed since it was listed
            self.close()
            self._behind.update(s.stamp for s in ahead if s.stamp <= chosen.stamp)
            if current is not None and chosen.stamp not in self._adjacent:
                self._tell_unproven(current, chosen)
            return source
        return None

    def close(self) -> None:
        """Close what was opened and not handed out."""
        for held in self._held:
            held.close()
        self._held.clear()

    # An empty live file is held open until it is time to move on to it: should it be renamed or
    # deleted meanwhile, the API server would write to it where nobody looks.

    def _hold_live(self, current: SourceFile | None) -> bool:
        """Open the live file; False if there is none. None is held if there are files before it."""
        if current is not None and self.is_live(current):
            return False
        live = open_source(self._live, live=self._live)
        if live is None:
            return False
        # Rotations since the listing put files between `current` and what is live by now.
        ahead = self._survey(current)
        if self._first_with_bytes(ahead) is not None:
            live.close()
            return True
        self._behind.update(sibling.stamp for sibling in ahead)
        self._held.append(live)
        if len(self._held) > _HELD_FILES:
            self._held.pop(0).close()
        return True

    def _release(self, current: SourceFile | None) -> SourceFile | None:
        """The first file held that may be read. No file with bytes comes before it."""
        for index, held in enumerate(self._held):
            if held.signature()[0] > 0 or current is None:
                later = self._held[index + 1 :]
                self._held = self._held[:index]
                self.close()
                self._held = later
                held.read(0)  # it was empty when it was opened: now it has a head
                if not self.is_live(held):
                    self._survey(held)
                return held
        return None

    def _waiting(self) -> bool:
        """Whether the live file is held already, and empty: then nothing was rotated either."""
        identity = identity_of(self._live, follow=True)
        return any(held.identity == identity for held in self._held)

    def _survey(self, current: SourceFile | None) -> list[Sibling]:
        """The rotated files ahead, without `current`; what has gone unread is noticed."""
        for _ in range(2):
            # Twice: a file renamed while the directory is read can be missing from the result.
            listing = list_siblings(self._live)
            named = current is None or self._name(current, listing)
            left = {sibling.stamp for sibling in listing}
            gone = [s for s in self._ahead if s.stamp not in left and s.stamp not in self._behind]
            if named and not gone:
                break
        for sibling in gone:
            self._notices.append(
                notice(
                    "gap", f"{shown(sibling.path)} was removed before it was read: all its bytes"
                )
            )
        self._ahead = [sibling for sibling in listing if sibling.stamp not in self._behind]
        # The oldest files are removed first: while `current` is there, so are all after it.
        if current is None or current.stamp in left or not current.unlinked():
            self._adjacent = {sibling.stamp for sibling in self._ahead}
        return self._ahead

    def _name(self, current: SourceFile, listing: list[Sibling]) -> bool:
        """Find `current` among the rotated files: by inode, or by head once it was compressed."""
        if current.stamp is not None or not current.was_live:
            return True
        unread = [sibling for sibling in listing if sibling.stamp not in self._behind]
        for sibling in unread:
            same = identity_of(sibling.path) == current.identity
            if same or (sibling.compressed and self._holds_content(sibling, current)):
                current.renamed(sibling)
                self._behind.add(sibling.stamp)
                return True
        return False

    def _holds_content(self, sibling: Sibling, current: SourceFile) -> bool:
        copy = open_source(sibling.path, live=self._live)
        if copy is None:
            return False
        head = current.head_bytes
        same = copy.head_bytes.startswith(head)
        if same and not identifies(head):
            # The API server had closed the file before it was compressed, so the sizes are equal.
            size = current.signature()[0]
            same = copy.continues(current) and copy.holds(size) and not copy.holds(size + 1)
        copy.close()
        return same

    def _first_with_bytes(self, ahead: list[Sibling]) -> Sibling | None:
        for sibling in ahead:
            found = stat_of(sibling.path, follow=False)
            # One that has vanished is chosen too: opening it fails, and all is listed again.
            if found is None or found.st_size > 0:
                return sibling
        return None

    def _tell_unproven(self, current: SourceFile, chosen: Sibling) -> None:
        """Say that files between the two may have come and gone unseen."""
        self._notices.append(
            notice(
                "gap",
                f"{shown(current.path)} (inode {current.inode}) was removed before "
                f"{chosen.path.name} was first seen: files rotated between the two, if there were "
                "any, were removed unread",
            )
        )
