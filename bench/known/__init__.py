"""Known campaigns: how soon a decision acts, what a look-up costs, how much of a flood it stops."""
