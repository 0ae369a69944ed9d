"""Compared with a real API server; see ``make test-cluster``."""
