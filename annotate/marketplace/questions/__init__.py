"""Questions and answers as MTurk's XML."""
