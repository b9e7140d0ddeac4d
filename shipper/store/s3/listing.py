"""Listings of object versions: pages in, one entry a key out, hidden ones among them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Any

from shipper.errors import StoreError
from shipper.store.base import Entry
from shipper.store.s3.client import Answer, Client

PAGE = 1000
KEPT_VERSIONS = 48

_NUMBER = re.compile(r"[0-9]{12}")
_NUMBERS = 10**12


class Listing:
    """The keys of a bucket below `root` (a prefix that ends in a slash, or empty)."""

    def __init__(self, client: Client, root: str) -> None:
        self._client = client
        self._root = root

    def scan(self, prefix: str, after: str) -> Iterator[Entry]:
        """See `Store.scan`. One call a thousand versions."""
        open_entry: Entry | None = None
        for page in self._pages(prefix, after):
            for entry in _entries(page, len(self._root)):
                if entry.key <= after:
                    continue
                if open_entry is not None and open_entry.key == entry.key:
                    open_entry = _together(open_entry, entry)
                    continue
                if open_entry is not None:
                    yield open_entry
                open_entry = entry
        if open_entry is not None:
            yield open_entry

    def last(self, prefix: str) -> Entry | None:
        """The last of the numbered names below `prefix`, in some 2 log2(n / 1000) calls: there is
        no listing backwards, but numbers can be galloped over."""
        low, high = -1, PAGE
        while high < _NUMBERS and self._any_from(prefix, high):
            low, high = high, high * 2
        while high - low > PAGE:
            middle = (low + high) // 2
            low, high = (middle, high) if self._any_from(prefix, middle) else (low, middle)
        found = None
        for entry in self.scan(prefix, prefix + _name(low) if low >= 0 else ""):
            name = entry.key[len(prefix) :]
            if not _NUMBER.match(name):
                break
            if "/" not in name:
                found = entry
        return found

    def children(self, prefix: str) -> list[str]:
        """See `Store.children`."""
        names: list[str] = []
        cut = len(self._root) + len(prefix)
        for page in self._pages(prefix, "", Delimiter="/"):
            names += [one["Prefix"][cut:-1] for one in page.get("CommonPrefixes", [])]
        return sorted(set(names))

    def versions(self, key: str) -> list[str]:
        """See `Store.versions`."""
        full = self._root + key
        # The service lists the newest first; the oldest, which the lock protects, must be found
        # however many somebody has put above it.
        oldest: deque[str] = deque(maxlen=KEPT_VERSIONS)
        for page in self._pages(key, ""):
            oldest += (one["VersionId"] for one in page.get("Versions", []) if one["Key"] == full)
            if _beyond(page, full):
                break
        return list(reversed(oldest))

    def _any_from(self, prefix: str, number: int) -> bool:
        after = prefix + _name(number)
        page = self._page(prefix, after, MaxKeys=1)
        first = min((e.key for e in _entries(page, len(self._root)) if e.key > after), default="")
        return _NUMBER.match(first[len(prefix) :]) is not None

    def _pages(self, prefix: str, after: str, **parameters: Any) -> Iterator[Answer]:
        marker: dict[str, str] = {"KeyMarker": self._root + after} if after else {}
        while True:
            page = self._ask(prefix, MaxKeys=PAGE, **marker, **parameters)
            yield page
            if not page["IsTruncated"]:
                return
            following = {"KeyMarker": page.get("NextKeyMarker", "")}
            if page.get("NextVersionIdMarker"):
                following["VersionIdMarker"] = page["NextVersionIdMarker"]
            if following == marker or not following["KeyMarker"]:
                raise StoreError(f"the listing of {prefix or 'the store'} does not go on")
            marker = following

    def _page(self, prefix: str, after: str, **parameters: Any) -> Answer:
        return self._ask(prefix, KeyMarker=self._root + after, **parameters)

    def _ask(self, prefix: str, **parameters: Any) -> Answer:
        page = self._client.call("list_object_versions", Prefix=self._root + prefix, **parameters)
        if not _is_listing(page):
            raise StoreError(f"the answer to a listing of {prefix or 'the store'} is no listing")
        return page


def _is_listing(page: Answer) -> bool:
    """A proxy's page may parse as an empty listing, and a cut one as half."""
    versions, markers = page.get("Versions", []), page.get("DeleteMarkers", [])
    return (
        "IsTruncated" in page
        and all({"Key", "VersionId", "Size"} <= one.keys() for one in versions)
        and all("Key" in one for one in markers)
    )


def _entries(page: Answer, cut: int) -> list[Entry]:
    """The page's keys in order; versions come in the service's order, the newest first."""
    by_key: dict[str, Entry] = {}
    for version in page.get("Versions", []):
        key = version["Key"][cut:]
        entry = Entry(key, version["Size"], version=version["VersionId"])
        by_key[key] = _together(by_key[key], entry) if key in by_key else entry
    for marker in page.get("DeleteMarkers", []):
        key = marker["Key"][cut:]
        entry = Entry(key, 0, versions=0, markers=1)
        by_key[key] = _together(by_key[key], entry) if key in by_key else entry
    return [by_key[key] for key in sorted(by_key)]


def _together(newer: Entry, older: Entry) -> Entry:
    oldest = older if older.versions else newer
    return oldest._replace(
        versions=newer.versions + older.versions, markers=newer.markers + older.markers
    )


def _beyond(page: Answer, key: str) -> bool:
    """Whether the page has keys behind `key`: of which it is a prefix."""
    keys = (one["Key"] for name in ("Versions", "DeleteMarkers") for one in page.get(name, []))
    return any(one > key for one in keys)


def _name(number: int) -> str:
    return f"{number:012d}"
