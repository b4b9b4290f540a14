"""Question kinds, one file each: its page for the rater, its plan, its reading of an answer."""
