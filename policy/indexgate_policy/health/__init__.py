"""The health score: what it is made of, one dimension a file."""
