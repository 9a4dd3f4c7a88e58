"""Infrastructure without business rules: database, errors, tokens, paging, limits, encryption."""
