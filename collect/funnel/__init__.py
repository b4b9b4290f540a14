"""The funnel: what was offered, what was thrown away and why, what is kept."""
