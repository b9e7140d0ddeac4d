"""Kyverno's policies: ClusterPolicy, Policy, ValidatingPolicy and their exceptions."""

from shipper.rules.dialects.kyverno.dialect import Kyverno

__all__ = ["Kyverno"]
