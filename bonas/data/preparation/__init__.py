"""From videos and pictures to face crops: what `bonas prepare` does.

What the worker processes import needs neither torch nor the readers of layouts.
"""
