"""A gate in front of the Python package index: serves, fetches, stores, and asks the policy."""
