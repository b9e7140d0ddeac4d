"""CEL as Kubernetes speaks it: text to a checked Program, JSON values to an Activation.

The only place that imports cel_expr_python and re2. Knows nothing of rules, files or clusters; an
expression that needs a cluster says so by the variable that is not bound.
"""

from shipper.rules.cel.activation import Activation
from shipper.rules.cel.environment import CompileError, Environment
from shipper.rules.cel.parts import Part, constant
from shipper.rules.cel.program import CelError, Program

__all__ = ["Activation", "CelError", "CompileError", "Environment", "Part", "Program", "constant"]
