"""The HTTP API: one room per noun; `kit/` knows no business, `pages/` is what people see."""
