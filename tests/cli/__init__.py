"""The command line as a process: its ends, its streams and its name."""
