"""The source: discovery, file identity, rotation, tail, lines, events.

Nothing here writes, seals or knows what a rule is.
"""
