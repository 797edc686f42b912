"""Recurrent cells: one file each, with its equations as a step in NumPy."""
