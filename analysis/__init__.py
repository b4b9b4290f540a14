"""What the answers are worth: functions on DataFrames, which work on any CSV."""
