"""Accepted writes, judged by the policies that were in force: what should have been denied."""
