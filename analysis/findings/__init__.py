"""What a study's answers are worth: every table of `photojury analyze TABLE`, by subject."""
