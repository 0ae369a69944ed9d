"""What policies mean: the definition, and the engine that answers fast and must agree."""
