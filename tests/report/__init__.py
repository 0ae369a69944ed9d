"""Reports: the same answer in every format."""
