"""Guardrail rules over audit events. Rules annotate; they change and drop no line."""
