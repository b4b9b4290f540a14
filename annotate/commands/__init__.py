"""The commands of `photojury annotate`, one file a topic."""
