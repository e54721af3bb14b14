"""Running a command behind the gate: its variables, its other indexes, its lock, its summary."""
