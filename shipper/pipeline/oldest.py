"""What was stored under a key first: no delete marker and no newer version may hide a record.

Nobody can put a version below ours: keys are made of contents, or of a name drawn at random.
"""

from __future__ import annotations

from shipper.errors import NotFoundError
from shipper.seal import note
from shipper.store.base import Entry, Store


def read_oldest(store: Store, entry: Entry) -> note.Note:
    """The note that was stored first under the entry's key.

    One that nothing hides is read as any object: to ask for a version needs a permission of its own
    on S3. `NotFoundError`, `RefusedError` and `FormatError` are about this object alone.
    """
    limit = note.MAX_NOTE_BYTES
    if entry.versions <= 1:
        try:
            return note.parse(store.get(entry.key, max_bytes=limit))
        except NotFoundError:  # a marker hides it
            if not entry.version:
                raise
    return note.parse(store.get(entry.key, max_bytes=limit, version=entry.version))
