"""The pages behind the sign-in: one module per page, named after what it shows."""
