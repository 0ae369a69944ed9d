"""Questions about many ends at once, one module for each."""
