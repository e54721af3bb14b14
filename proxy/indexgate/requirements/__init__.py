"""Requirements: what the lines and files that pip reads ask for, and what that means on a page."""
