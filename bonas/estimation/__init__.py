"""Estimators: what gives an architecture its observation."""
