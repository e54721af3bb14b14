"""Downloads: grouped rows of the log to classes, the history they make, and what it says."""
