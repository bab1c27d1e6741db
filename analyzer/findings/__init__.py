"""What a reader should know of a run: the summary, and remarks on what was found."""
