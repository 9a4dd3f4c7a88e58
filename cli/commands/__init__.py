"""The commands, one module per noun; heavy imports stay inside the functions that need them."""
