"""Which pairs to ask about: by similarity, by design, by what is known so far."""
