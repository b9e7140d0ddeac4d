"""Alerts: who is told of findings, once their record is sealed and in the spool."""
