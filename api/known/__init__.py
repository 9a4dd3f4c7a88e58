"""Known campaigns: reviewers' decisions answer all later copies of a message."""
