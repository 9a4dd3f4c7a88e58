"""Records of training runs and their outcomes."""
