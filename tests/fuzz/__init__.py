"""Input that nobody would send, by the million, to everything that reads what strangers send.

`python -m tests.fuzz TARGET --minutes 10` goes on for that long and prints what it found; the
ordinary tests run a few hundred cases of each target.
"""
