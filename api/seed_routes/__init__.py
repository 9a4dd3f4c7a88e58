"""The first design's wire form of the model routes: no prefix, snake_case, its own status words."""
