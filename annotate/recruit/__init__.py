"""Where people come from: Prolific, or a plain link."""
