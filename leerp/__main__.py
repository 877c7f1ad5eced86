"""``python -m leerp``."""

from leerp.cli import main

main()
