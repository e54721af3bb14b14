"""The policy document: what it says, when a rule holds, and the verdict."""
