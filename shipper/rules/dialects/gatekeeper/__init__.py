"""Gatekeeper: ConstraintTemplates with CEL (K8sNativeValidation), and their constraints.

A template that is written in Rego alone is not evaluated here: it says so, and is indeterminate.
"""

from shipper.rules.dialects.gatekeeper.dialect import Gatekeeper

__all__ = ["Gatekeeper"]
