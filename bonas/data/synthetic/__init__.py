"""The built-in faces: drawn portraits, real and forged in four ways, with masks."""

from bonas.data.synthetic.dataset import Forgery, Portraits, draw_portraits, write_portraits

__all__ = ["Forgery", "Portraits", "draw_portraits", "write_portraits"]
