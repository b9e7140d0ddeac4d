"""The archive's verifier: from objects that nobody is trusted with to five verdicts.

Refuses to trust what it reads, to write into an archive, and to call unknown what holds.
"""
