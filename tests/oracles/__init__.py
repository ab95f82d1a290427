"""Slow, obvious versions of what the runtime calculates, written from the documentation, sharing none of its code."""
