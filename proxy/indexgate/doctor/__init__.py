"""Every way round the gate that a machine or a project leaves open, and what an index speaks."""
