"""Indexes that stand behind one another: upstream, cached, gated."""
