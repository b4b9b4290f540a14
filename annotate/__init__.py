"""Questions go out to raters, answers come in: units, HITs, assignments, ratings, comparisons, payments."""
