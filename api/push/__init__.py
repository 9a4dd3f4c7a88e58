"""Web Push: wakes phones when there is a notice for their owners, without any text."""
