"""The Simple repository API, pure: reading, writing and choosing a form."""
