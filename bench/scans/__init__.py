"""Measure a scan from the phone to the verdict, beside the model server and the database alone."""
