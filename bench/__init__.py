"""Benchmarks of the whole program, run as `python -m bench`. Never part of the test suite.

Each file measures one thing and says how in its docstring; `docs/performance.md` says what the
numbers mean. A benchmark starts the program as its users do and watches it from outside.
"""
