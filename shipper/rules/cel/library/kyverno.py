"""The functions that Kyverno adds to CEL, as far as they need neither cluster nor clock.

Source: github.com/kyverno/sdk extensions/cel/libs, google/go-containerregistry pkg/name. What only
the API server, a registry, another service, the clock or chance can answer is declared all the
same: by variables that are never bound (`resource`, `http`, `image`, `globalContext`), so that what
depends on them is unknown and says so, or by functions that say it themselves.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from shipper.rules.cel.library.function import IMAGE, CallError, Function, held, hold
from shipper.rules.cel.meter import METER

RESOURCES = "resource.Context"
IMAGE_DATA = "imagedata.Context"
HTTP = "http.Context"
GLOBAL = "globalcontext.Context"
JSON = "json.Json"

TYPES = {
    "resource": RESOURCES,
    "image": IMAGE_DATA,
    "http": HTTP,
    "globalContext": GLOBAL,
    "json": JSON,
}
"""The variables of Kyverno's own, with their types."""

NOT_KNOWN = "is not known here"
"""Words in the reason of an error that is none of the data's."""

_MAX_CHARS = 1024
_DEFAULT_REGISTRY = "index.docker.io"
_REPOSITORY = re.compile(r"[a-z0-9_.\-/]{2,255}")
_TAG = re.compile(r"[\w.\-]{1,128}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ACCOUNT = "system:serviceaccount:"


@lru_cache(maxsize=1024)
def _image(text: str) -> str:
    """`registry|repository|tag|digest`. Raises CallError."""
    if len(text) > _MAX_CHARS or "|" in text:
        raise CallError("not an image reference")
    name, _, digest = text.partition("@")
    if digest and not _DIGEST.fullmatch(digest):
        raise CallError("not an image reference")
    head, slash, rest = name.partition("/")
    registry, path = _DEFAULT_REGISTRY, name
    if (slash and any(char in head for char in ".:")) or head == "localhost":
        registry, path = head, rest
    repository, colon, tag = path.rpartition(":")
    if not colon:
        repository, tag = path, ""
    if (colon and not _TAG.fullmatch(tag)) or not _REPOSITORY.fullmatch(repository):
        raise CallError("not an image reference")
    if registry in (_DEFAULT_REGISTRY, "docker.io") and "/" not in repository:
        repository = f"library/{repository}"
    registry = _DEFAULT_REGISTRY if registry == "docker.io" else registry
    tag = "" if digest else tag or "latest"
    return hold(IMAGE, f"{registry}|{repository}|{tag}|{digest}")


def _is_image(text: str) -> bool:
    try:
        _image(text)
    except CallError:
        return False
    return True


def _part(at: int) -> Callable[[str], str]:
    return lambda value: held(IMAGE, value).split("|")[at]


def _identifier(value: str) -> str:
    _, _, tag, digest = held(IMAGE, value).split("|")
    return digest or tag


def _has_digest(value: str) -> bool:
    return bool(held(IMAGE, value).split("|")[3])


def _hash(name: str) -> Callable[[str], str]:
    def digest(text: str) -> str:
        return hashlib.new(name, text.encode(errors="replace"), usedforsecurity=False).hexdigest()

    return digest


def _account(username: str) -> dict[str, str]:
    parts = username.removeprefix(_ACCOUNT).split(":")
    known = username.startswith(_ACCOUNT) and len(parts) >= 2
    return {"Namespace": parts[0] if known else "", "Name": parts[1] if known else ""}


def _unmarshal(_json: str, text: Any) -> Any:
    if not isinstance(text, str):
        raise CallError("not a text")
    METER.grow(len(text))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CallError("not JSON") from None


def _marshal(_json: str, value: Any) -> str:
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise CallError("a value has no JSON") from None
    METER.grow(len(text))
    return text


def _by_key(keys: list[Any], values: list[Any], key_name: str, value_name: str) -> dict[str, Any]:
    if len(keys) != len(values) or not all(isinstance(one, dict) for one in (*keys, *values)):
        raise CallError("listObjToMap takes two lists of maps, of equal length")
    if not all(isinstance(key.get(key_name), str) for key in keys):
        raise CallError("listObjToMap takes keys that are texts")
    pairs = zip(keys, values, strict=True)
    return {key[key_name]: value.get(value_name) for key, value in pairs}


def _unknown(what: str) -> Callable[..., Any]:
    def call(*_arguments: object) -> Any:
        raise CallError(f"{what} {NOT_KNOWN}")

    return call


def _elsewhere(name: str, of: str, *signatures: tuple[str, ...]) -> list[Function]:
    """Member functions of a variable that is never bound."""
    call = _unknown(of)
    return [
        Function(written, of, parameters, "dyn", call)
        for written in (name, name.lower())
        for parameters in signatures
    ]


_TEXT = "string"
_LABELS = "map<string, string>"

FUNCTIONS = (
    Function("image", "", (_TEXT,), IMAGE, _image),
    Function("parseImageReference", "", (_TEXT,), IMAGE, _image),
    Function("isImage", "", (_TEXT,), "bool", _is_image),
    Function("registry", IMAGE, (), _TEXT, _part(0)),
    Function("repository", IMAGE, (), _TEXT, _part(1)),
    Function("tag", IMAGE, (), _TEXT, _part(2)),
    Function("digest", IMAGE, (), _TEXT, _part(3)),
    Function("identifier", IMAGE, (), _TEXT, _identifier),
    Function("containsDigest", IMAGE, (), "bool", _has_digest),
    Function("sha1", "", (_TEXT,), _TEXT, _hash("sha1")),
    Function("sha256", "", (_TEXT,), _TEXT, _hash("sha256")),
    Function("md5", "", (_TEXT,), _TEXT, _hash("md5")),
    Function("parseServiceAccount", "", (_TEXT,), _LABELS, _account),
    Function("listObjToMap", "", ("list", "list", _TEXT, _TEXT), "map<string, dyn>", _by_key),
    Function("unmarshal", JSON, ("dyn",), "dyn", _unmarshal),
    Function("marshal", JSON, ("dyn",), _TEXT, _marshal),
    Function("random", "", (), _TEXT, _unknown("what chance decides")),
    Function("random", "", (_TEXT,), _TEXT, _unknown("what chance decides")),
    Function("time.now", "", (), "timestamp", _unknown("the current time")),
    Function("x509.decode", "", (_TEXT,), "dyn", _unknown("the form of a certificate")),
    *_elsewhere("Get", RESOURCES, (_TEXT,) * 3, (_TEXT,) * 4),
    *_elsewhere("List", RESOURCES, (_TEXT,) * 2, (_TEXT,) * 3, (_TEXT, _TEXT, _TEXT, _LABELS)),
    *_elsewhere(
        "Post", RESOURCES, (_TEXT, _TEXT, "map<string, dyn>"), (*(_TEXT,) * 3, "map<string, dyn>")
    ),
    *_elsewhere("GetMetadata", IMAGE_DATA, (_TEXT,)),
    *_elsewhere("Get", GLOBAL, (_TEXT,), (_TEXT, _TEXT)),
    *_elsewhere("Get", HTTP, (_TEXT,), (_TEXT, _LABELS)),
    *_elsewhere("Post", HTTP, (_TEXT, "dyn"), (_TEXT, "map<string, dyn>", _LABELS)),
)
