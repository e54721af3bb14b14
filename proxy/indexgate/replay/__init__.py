"""Trying a policy on the past: recorded traffic, the history of a lock file, known incidents."""
