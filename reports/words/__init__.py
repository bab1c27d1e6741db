"""Words, numbers and sizes as readers see them, in each language."""
