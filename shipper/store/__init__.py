"""Archives: one protocol, a file for each implementation."""
