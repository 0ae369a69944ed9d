"""Answers as people and programs want them: one output format in each module."""
