"""Sets that know nothing of Kubernetes: integers, addresses, traffic, label selectors."""
