"""Where pictures come from, one module a source: a search goes in, rows come out."""
