"""Pointing installers at the gate in their own settings files, and undoing exactly that."""
