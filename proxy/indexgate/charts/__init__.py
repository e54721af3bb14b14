"""Pictures of a project's timeline: for the terminal, as SVG, and as data. They need numpy."""
