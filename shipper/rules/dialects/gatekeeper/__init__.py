"""Gatekeeper: ConstraintTemplates with CEL (K8sNativeValidation), and their constraints.

A template that is written in Rego alone is not evaluated here: where it is one of Gatekeeper's own
library CEL of ours stands for it, else it says so, and is indeterminate.
"""

from shipper.rules.dialects.gatekeeper.dialect import Gatekeeper

__all__ = ["Gatekeeper"]
