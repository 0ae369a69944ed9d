"""The command line: one module for each command, options, messages and exit codes, nothing else."""
