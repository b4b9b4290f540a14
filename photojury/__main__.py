"""`python -m photojury` is the same program as `photojury`."""

from photojury.cli import main

main()
