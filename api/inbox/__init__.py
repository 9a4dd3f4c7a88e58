"""The inbox: notices about the outcome of reports and about corrected verdicts."""
