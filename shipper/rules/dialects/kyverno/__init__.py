"""Kyverno's policies: ClusterPolicy, Policy, ValidatingPolicy and their exceptions."""
