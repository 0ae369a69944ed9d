"""The only package that touches the world: files, processes, namespaces, sockets, packets."""
