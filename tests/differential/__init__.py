"""Deciders against the definition, on random worlds."""
