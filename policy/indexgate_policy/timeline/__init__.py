"""The timeline of a project: what changed, what happened beside it, and what explains what.

`timeline()` is in `entries`, which needs numpy; whoever serves pages does not import it.
"""
