"""What workers meet: the pages of the worker site."""
