"""ValidatingAdmissionPolicy and its binding (admissionregistration.k8s.io v1, v1beta1).

Offline: what asks the authorizer, or anything else that only the cluster knows, is indeterminate.
"""

from shipper.rules.dialects.vap.dialect import Vap

__all__ = ["Vap"]
