"""Mutants of captures, and the contract that every reading of one keeps."""
