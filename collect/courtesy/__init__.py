"""Courtesy: how often a service is asked, when again, and in whose name."""
