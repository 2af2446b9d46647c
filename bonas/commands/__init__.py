"""The commands of `bonas`, one module each; `bonas.cli` registers them."""
