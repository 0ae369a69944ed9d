"""Frozen nouns of a cluster and its policies; the only types that cross layers."""
