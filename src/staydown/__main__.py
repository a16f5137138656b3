"""`python -m staydown` is the same as the command `staydown`."""

from staydown.cli import main

main()
