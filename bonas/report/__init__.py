"""The report: one self-contained page on a run, or on several side by side."""
