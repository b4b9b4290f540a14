"""Raters who are programs, and what a study would give with them."""
