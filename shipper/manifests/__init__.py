"""Manifests before they reach a cluster, judged by the rules and policies that judge its log."""
