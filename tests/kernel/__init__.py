"""Tests of the lab in a real kernel."""
