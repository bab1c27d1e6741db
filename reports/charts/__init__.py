"""The charts: a module for each, their figures, colours and labels."""
