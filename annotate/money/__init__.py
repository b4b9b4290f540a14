"""What work costs and is worth, and paying it exactly once."""
