"""A million broken inputs, and what must hold of each."""
