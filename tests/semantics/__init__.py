"""What policies mean: the definition, the engine and its parts."""
