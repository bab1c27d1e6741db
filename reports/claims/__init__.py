"""Verdicts on claims, in words and in the files that builds read."""
