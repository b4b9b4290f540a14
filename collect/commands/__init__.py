"""The commands of `photojury collect`, one file a topic."""
