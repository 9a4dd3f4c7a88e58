"""Programs that write the generated parts of the documentation (`make docs`)."""
