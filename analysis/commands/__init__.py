"""`photojury analyze`, one file a topic."""
