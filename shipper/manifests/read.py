"""Finds and reads manifests: files, directories, standard input; what Helm and kustomize print.

A file in which nothing is an object that could be applied is passed by, and named. All mistakes are
found before anything is said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from shipper.errors import ConfigError
from shipper.manifests import yaml11
from shipper.manifests.manifest import MAX_NAME, Manifest, ManifestError, manifest
from shipper.rules.document import Document, Problem, read
from shipper.rules.files import read_text
from shipper.text import harmless

STDIN = "-"
STDIN_NAME = "<stdin>"

MAX_BYTES = 256 * 2**20
"""Of all objects, with aliases unfolded: a file of some MiB can stand for any number of them."""

MAX_SHOWN = 100
"""Problems in one message; the rest are counted."""

_SUFFIXES = (".yaml", ".yml", ".json")
_KUSTOMIZE = "kustomize.config.k8s.io/"
"""Of kustomize's own files: they say what to make objects of."""
_CHART, _TEMPLATES, _HELM = "Chart.yaml", "templates", "helm template . | … rules check -"
_SOURCE = re.compile(r"# Source: (\S.*)")


class ManifestsError(ConfigError):
    """Manifests that can not be judged; says everything that is wrong with them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [f"  {problem}" for problem in problems[:MAX_SHOWN]]
        if len(problems) > MAX_SHOWN:
            shown.append(f"  … and {len(problems) - MAX_SHOWN} more")
        super().__init__("\n".join(["not judged, for the manifests have mistakes:", *shown]))


class Read(NamedTuple):
    """The objects, in the order of the files, and the files that hold none."""

    manifests: Sequence[Manifest]
    passed_by: Sequence[str]


def read_manifests(paths: Sequence[str], *, namespace: str) -> Read:
    """The objects in `paths` (`-`: standard input); those without a namespace go to `namespace`.

    Raises `ManifestsError`; `ConfigError` where there is nothing to read at all: a pipe whose
    other end has failed must not look like a pass.
    """
    reader = _Reader(namespace)
    for path in paths:
        reader.path(path)
    if reader.problems:
        raise ManifestsError(reader.problems)
    if not reader.manifests and not reader.passed_by:
        raise ConfigError(
            f"no manifest in {' '.join(paths)}",
            remedy="give files or directories with *.yaml, *.yml or *.json, or pipe objects to -",
        )
    return Read(reader.manifests, reader.passed_by)


class _Reader:
    """Collects from one file after the other."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._bytes = 0
        self.manifests: list[Manifest] = []
        self.passed_by: list[str] = []
        self.problems: list[Problem] = []

    def path(self, path: str) -> None:
        if path == STDIN:
            self._file(None, STDIN_NAME)
        elif os.path.isdir(path):
            for file in self._files(path):
                if os.path.exists(file) and not os.path.isfile(file):  # a pipe would never end
                    self.problems.append(Problem(file, 0, "cannot be read: not a file"))
                else:
                    self._file(Path(file), file)
        else:
            self._file(Path(path), path)

    def _files(self, directory: str) -> Iterator[str]:
        """All below it that may be manifests; not in hidden directories, nor behind links, nor a
        chart's templates, which are manifests only once Helm has rendered them."""
        for place, directories, files in os.walk(directory, onerror=self._unreadable):
            if _CHART in files and _TEMPLATES in directories:
                directories.remove(_TEMPLATES)
                self.passed_by.append(f"{os.path.join(place, _TEMPLATES)} (render it: {_HELM})")
            directories[:] = sorted(name for name in directories if not name.startswith("."))
            for name in sorted(files):
                if name.endswith(_SUFFIXES) and not name.startswith("."):
                    yield os.path.join(place, name)

    def _unreadable(self, error: OSError) -> None:
        self.problems.append(Problem(error.filename, 0, f"cannot be read: {error.strerror}"))

    def _file(self, path: Path | None, name: str) -> None:
        name = harmless(name, MAX_NAME)
        text, problems = read_text(path, name)
        documents: list[Document] = []
        if not problems:
            documents, problems = read(text, name, schema=yaml11.KUBECTL)
        problems += _merged(documents)
        self.problems += problems
        if problems or not documents:
            return
        if not any(_is_object(document.value) for document in documents):
            self.passed_by.append(name)
            return
        lines = text.split("\n")
        for document in documents:
            self._document(document, _template(lines, document.line))

    def _document(self, document: Document, template: str) -> None:
        value = document.value
        if not isinstance(value, dict):
            self.problems.append(document.problem((), "no object of Kubernetes: no mapping"))
        elif str(value.get("apiVersion")).startswith(_KUSTOMIZE):
            self.passed_by.append(document.file)
        elif isinstance(value.get("items"), list):
            self._list(document, template)
        else:
            try:
                one = manifest(document, namespace=self._namespace, template=template)
            except ManifestError as error:
                path = (error.key,) if error.key else ()
                self.problems.append(document.problem(path, f"no object of Kubernetes: {error}"))
            else:
                self._add(one)

    def _add(self, one: Manifest) -> None:
        self._bytes += one.size_bytes
        if self._bytes <= MAX_BYTES:
            self.manifests.append(one)
        elif self._bytes - one.size_bytes <= MAX_BYTES:  # said once
            reason = f"from here on more than {MAX_BYTES >> 20} MiB of objects"
            self.problems.append(one.document.problem((), reason))

    def _list(self, document: Document, template: str) -> None:
        """What `kubectl get -o yaml` writes, and lists of one kind, whose items need not say it.

        To kubectl whatever has a list of items is one (apimachinery, unstructured_list.go).
        """
        value = document.value
        kind = str(value.get("kind") or "").removesuffix("List")
        for number, item in enumerate(value["items"]):
            if kind and isinstance(item, dict):
                item.setdefault("kind", kind)
                item.setdefault("apiVersion", value.get("apiVersion"))
            self._document(document.part(("items", number)), template)


def _merged(documents: Sequence[Document]) -> list[Problem]:
    """Carry out the merges in all of them; what is wrong with those."""
    problems = []
    for document in documents:
        try:
            yaml11.merge(document.value)
        except yaml11.MergeError as error:
            problems.append(document.problem((), str(error)))
    return problems


def _is_object(value: Any) -> bool:
    if not isinstance(value, dict) or not {"apiVersion", "kind"} <= value.keys():
        return False
    return "metadata" in value or "items" in value


def _template(lines: Sequence[str], line: int) -> str:
    """What Helm says above a document that begins in this line."""
    for number in range(line - 2, -1, -1):
        text = lines[number]
        if found := _SOURCE.match(text):
            return harmless(found[1], MAX_NAME)
        if text and not text.startswith("#"):
            break
    return ""
