"""Tests of the lab, without a kernel."""
