"""Readers: objects in, model out."""
