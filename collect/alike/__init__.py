"""Pictures that are alike: copies of each other, and shots of one moment."""
