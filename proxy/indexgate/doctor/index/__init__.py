"""Which parts of the standards an index speaks, and what clients lose by what it does not."""
