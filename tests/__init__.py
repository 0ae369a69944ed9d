"""Tests: one module for each module of the source, and what compares deciders with each other."""
