"""The record format: notes, manifests, trees, keys."""
