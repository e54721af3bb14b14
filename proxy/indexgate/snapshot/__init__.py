"""Signed snapshots: what one gate knows, given to others as Parquet files with a manifest."""
