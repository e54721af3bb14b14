"""What the gate remembers: assessments, advisories, decisions."""
