"""The image's parts that need no build: lock files, software bill of materials, what is copied."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

LOCKS = {"requirements.lock": "dependencies", "requirements-build.lock": "requires"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def load_sbom() -> ModuleType:
    """deploy/image/sbom.py, which is copied into the build and belongs to no package."""
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "deploy" / "image" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sbom = load_sbom()


def problems(text: str) -> list[str]:
    """What CycloneDX's own schema says against a document."""
    pytest.importorskip("cyclonedx", reason="needs cyclonedx-python-lib[json-validation]")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return [] if error is None else [str(error)]


def lock(name: str) -> dict[str, tuple[str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = sbom.locked((ROOT / name).read_text())
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_by_hash(name: str) -> None:
    """One version and at least one SHA-256 each, and no address of anybody's index."""
    text = (ROOT / name).read_text()
    packages = re.findall(r"^[A-Za-z]\S*", text, re.MULTILINE)
    assert len(packages) == len(lock(name)) > 0
    for version, hashes in lock(name).values():
        assert version
        assert hashes
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize(("name", "key"), LOCKS.items())
def test_the_lock_is_what_the_project_asks_for(name: str, key: str) -> None:
    """Each dependency of pyproject.toml is locked at a version that it allows: else `make lock`."""
    section = "project" if key == "dependencies" else "build-system"
    locked = lock(name)
    for text in PROJECT[section][key]:
        wanted = Requirement(text)
        version, _ = locked[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), f"{wanted}: locked at {version}; run make lock"


def bom(installed: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = sbom.bom((ROOT / "requirements.lock").read_text(), installed)
    return found


def everything() -> dict[str, str]:
    return {name: version for name, (version, _) in lock("requirements.lock").items()} | {
        "audit-shipper": PROJECT["project"]["version"]
    }


def test_the_bill_of_materials_is_cyclonedx() -> None:
    """Valid, the same each time, and with each package's hashes."""
    document = bom(everything())
    assert problems(json.dumps(document)) == []
    assert document == bom(everything())
    assert len(document["components"]) == len(lock("requirements.lock"))
    assert all(one["externalReferences"][0]["hashes"] for one in document["components"])


def test_what_is_not_locked_is_not_shipped() -> None:
    """A package that the lock does not know, or another version, ends the build."""
    with pytest.raises(KeyError, match="stowaway"):
        bom(everything() | {"stowaway": "1.0"})
    with pytest.raises(ValueError, match=r"click is installed as 1\.0"):
        bom(everything() | {"click": "1.0"})


def test_the_dockerfile_copies_what_the_context_holds() -> None:
    """.dockerignore lets through exactly what the Dockerfile copies."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = {
        word.removeprefix("./")
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    assert kept == copied
    assert all((ROOT / name).exists() for name in copied)


def test_the_dockerfile_says_the_version() -> None:
    """The label's default is the project's version; the user is nobody in particular."""
    text = (ROOT / "Dockerfile").read_text()
    assert f"ARG VERSION={PROJECT['project']['version']}\n" in text
    assert "\nUSER 65532:65532\n" in text
