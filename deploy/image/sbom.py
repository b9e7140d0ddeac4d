"""Prints what an image holds as CycloneDX 1.6 JSON: every Python package, with the lock's hashes.

Run by the image's own Python with the lock file as its argument. No clock and no randomness: the
same image gives the same text. The packages of the base image are the base image's to list.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any

PROGRAM = "audit-shipper"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def locked(text: str) -> dict[str, tuple[str, list[str]]]:
    """Version and SHA-256 hashes of each package in the lock, by its normalised name."""
    found: dict[str, tuple[str, list[str]]] = {}
    for block in re.split(r"\n(?=\S)", text):
        if pin := _PIN.match(block):
            found[normalised(pin[1])] = (pin[2], _HASH.findall(block))
    return found


def normalised(name: str) -> str:
    """As the package index names it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def component(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    """One package. The lock has a hash for each file that may be installed."""
    purl = f"pkg:pypi/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "externalReferences": [
            {
                "type": "distribution",
                "url": purl,
                "hashes": [{"alg": "SHA-256", "content": one} for one in hashes],
            }
        ],
    }


def bom(lock: str, installed: dict[str, str]) -> dict[str, Any]:
    """The document. `KeyError` or `ValueError` if the image holds what the lock does not say."""
    pins = locked(lock)
    components = []
    for name, version in sorted(installed.items()):
        if name == PROGRAM:
            continue
        pinned, hashes = pins[name]
        if pinned != version:
            raise ValueError(f"{name} is installed as {version}, the lock says {pinned}")
        components.append(component(name, version, hashes))
    program = f"pkg:pypi/{PROGRAM}@{installed[PROGRAM]}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": program,
                "name": PROGRAM,
                "version": installed[PROGRAM],
                "purl": program,
            }
        },
        "components": components,
        "dependencies": [
            {"ref": program, "dependsOn": [one["purl"] for one in components]},
            *({"ref": one["purl"]} for one in components),
        ],
    }


def main() -> None:
    """Write the document to standard output."""
    installed = {
        normalised(one.metadata["Name"]): one.version for one in importlib.metadata.distributions()
    }
    document = bom(Path(sys.argv[1]).read_text(encoding="utf-8"), installed)
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
