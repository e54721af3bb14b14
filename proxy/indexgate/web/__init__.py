"""The HTTP face of the gate."""
