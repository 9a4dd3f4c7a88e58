"""Known campaigns: a reviewer's decision acts on everybody's next copy."""
