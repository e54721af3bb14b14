"""The deciding half of indexgate: pure, without I/O, clock or environment."""
