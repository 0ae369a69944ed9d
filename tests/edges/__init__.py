"""The edges: files, processes, namespaces, sockets, packets."""
