"""Falco's rules for Kubernetes audit events: `translate.py` makes AuditRules of them."""
