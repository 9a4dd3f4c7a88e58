"""What knows nothing of the business: database, problems, tokens, paging, limits, encryption."""
