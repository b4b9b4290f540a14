"""Where raters' browsers find the pictures."""
