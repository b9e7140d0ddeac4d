"""Tells documents of detection languages by their shape: they name neither a kind nor a version.

Looks at nothing but keys.
"""

from __future__ import annotations

from typing import Any

_FALCO = ("rule", "macro", "list", "required_engine_version", "required_plugin_versions")


def is_falco(value: Any) -> bool:
    """Whether it is a file of Falco's: a list of rules, macros and lists."""
    return isinstance(value, list) and any(
        isinstance(item, dict) and any(key in item for key in _FALCO) for item in value
    )


def is_sigma(value: Any) -> bool:
    """Whether it is a rule of Sigma's, a correlation of such rules, or a filter for them."""
    if not isinstance(value, dict) or "apiVersion" in value or "title" not in value:
        return False
    return any(key in value for key in ("detection", "correlation", "filter"))
