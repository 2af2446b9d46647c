"""Readers of data set layouts, one module each."""
