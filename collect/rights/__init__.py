"""What becomes of pictures whose rights change: forgotten by name, or looked up again at their sources."""
