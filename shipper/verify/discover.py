"""Where the logs lie below a store's root: at most three levels down. Reads names, trusts none.

A place is a log's if it has a log.note, or the name of an instance and something in the format's
places. Whatever is wrong with it is the verification's to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipper.errors import FormatError, NotFoundError
from shipper.seal import layout
from shipper.seal.note import MAX_NOTE_BYTES
from shipper.store.base import Store
from shipper.verify import checkpoints, manifests

_PLACES = frozenset({"checkpoint", "events", "findings", "manifest", "tile"})
_LEVELS = 3


def logs(store: Store, path: str = "", level: int = 0) -> Iterator[str]:
    """The prefixes of all logs: `<cluster>/<node>/<instance>/`, less what STORE already names."""
    names = store.children(path)
    if _is_log(store, path, names):
        yield path
        names = [name for name in names if name not in _PLACES]
    if level < _LEVELS:
        for name in names:
            yield from logs(store, f"{path}{name}/", level + 1)


def _is_log(store: Store, path: str, names: list[str]) -> bool:
    try:
        store.get(path + layout.IDENTITY, max_bytes=MAX_NOTE_BYTES)
    except NotFoundError:
        pass
    except FormatError:
        return True
    else:
        return True
    if not path:
        return any(_has_notes(store, place) for place in (manifests.PLACE, checkpoints.PLACE))
    name = path.rstrip("/").rpartition("/")[2]
    return layout.is_instance(name) and not _PLACES.isdisjoint(names)


def _has_notes(store: Store, place: str) -> bool:
    first = next(store.scan(place), None)
    return first is not None and manifests.number_in(first.key[len(place) :]) is not None
