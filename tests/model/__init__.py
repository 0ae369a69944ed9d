"""The nouns of a cluster and of its policies."""
