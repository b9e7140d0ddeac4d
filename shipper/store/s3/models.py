"""botocore's descriptions of S3, its calls and its endpoints, read once for all clients.

Without it each client reads them anew (0.1 s, 12 MB), and a client is made after each refusal that
new credentials may mend. botocore's own reader makes ordered dicts; plain ones keep their order
too, and msgspec makes them in 7 MiB less of memory.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from botocore.loaders import JSONFileLoader, Loader

_OPEN: Mapping[str, Callable[..., Any]] = {".json": open, ".json.gz": gzip.open}


class _Files(JSONFileLoader):
    def load_file(self, file_path: str) -> Any:
        """What is in the file of that name, given without its suffix; None if there is none."""
        for suffix, opened in _OPEN.items():
            with suppress(FileNotFoundError), opened(file_path + suffix, "rb") as file:
                return msgspec.json.decode(file.read())
        return None


MODELS = Loader(file_loader=_Files())
