"""Agreement with other projects' own test cases, language by language.

`python -m tests.conformance` prints the table; `test_agreement.py` asserts the same targets.
"""
