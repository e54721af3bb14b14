"""What the gate remembers: assessments, projects, advisories and the record of its decisions."""
