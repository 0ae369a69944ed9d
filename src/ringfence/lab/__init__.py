"""A cluster of network namespaces on one machine, with real packets between its pods."""
