"""Capture files: finding, opening, unpacking, hashing, and a module per container."""
