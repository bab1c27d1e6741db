"""Drives the compiled loop over a capture, owns its memory, and makes tables of its arrays."""
