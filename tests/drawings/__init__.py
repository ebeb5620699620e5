"""Drawings for the notes, made from the code and from lists of steps: see `tests.drawings.__main__`."""
