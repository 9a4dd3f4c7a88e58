"""Read labelled messages from files of all kinds, and say how it was done."""
