"""The policy languages that clusters have already, each read as it is written.

Detection languages (Sigma, Falco) become rules like any other. Admission languages become policies
that are asked about objects: of events, of sealed history, of manifests.
"""
