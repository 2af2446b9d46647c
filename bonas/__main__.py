"""`python -m bonas`."""

from bonas.cli import run

run()
