"""What a picture is like: measured in one decode, judged by the thresholds of study.toml."""
