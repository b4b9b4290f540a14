"""Pictures and their counters come in: images, candidates, observations."""
