"""Faces: reading, drawing, batching, augmenting."""
