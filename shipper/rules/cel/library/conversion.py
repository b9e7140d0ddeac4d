"""`string()` of an address or a network; of everything else the engine makes it."""

from __future__ import annotations

from shipper.rules.cel.library.function import CIDR, IP, Function, shown

FUNCTIONS = (
    Function("@string", "", (IP,), "string", shown),
    Function("@string", "", (CIDR,), "string", shown),
)
