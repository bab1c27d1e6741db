"""Comparing versions of an app: the sides, the tests, the verdicts, the rules."""
