"""Laws of the algebra: the same set, built another way."""
