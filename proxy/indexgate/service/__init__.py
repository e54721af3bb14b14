"""The gate as a service of the user, started at log-in by what the platform has for that."""
