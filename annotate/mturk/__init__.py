"""Mechanical Turk's batch results CSV, both ways."""
