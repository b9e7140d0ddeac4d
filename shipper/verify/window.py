"""Where to begin for `--since`: at an entry bundle before that moment, with the tree from tiles.

What lies before is not read: the next signed root binds it, as far as a root can.
"""

from __future__ import annotations

from datetime import UTC, datetime

from shipper.errors import FormatError
from shipper.seal.manifest import decode_manifest
from shipper.seal.merkle import TILE_WIDTH
from shipper.verify.reader import Reader
from shipper.verify.tiles import edge, read_bundle
from shipper.verify.walk import Start


def begin(reader: Reader, since: datetime, size: int) -> Start:
    """The latest start, in a log with a checkpoint of `size`, from which all since then is seen.

    The beginning, if bundles or tiles cannot tell.
    """
    low, high = 0, size // TILE_WIDTH
    while low < high:
        middle = (low + high) // 2
        wall = _first_wall(reader, middle)
        if wall is None:
            return Start()
        if wall <= since:
            low = middle + 1
        else:
            high = middle
    bundles = max(0, low - 1)
    tree = edge(reader, bundles) if bundles else None
    if tree is None:
        return Start()
    return Start(bundles * TILE_WIDTH, prev=None, tree=tree, files_complete=False)


def _first_wall(reader: Reader, bundle: int) -> datetime | None:
    texts = read_bundle(reader, bundle, required=True)
    if texts is None:
        return None
    try:
        wall = decode_manifest(texts[0]).time.wall
    except FormatError:
        return None
    return wall if wall.tzinfo is UTC else None
