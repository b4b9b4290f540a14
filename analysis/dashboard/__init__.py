"""The dashboard: what a study leader asks of a running or a finished study, in a browser."""
