"""What was found, in the forms of CI systems: SARIF, annotations, job summaries."""
