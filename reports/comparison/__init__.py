"""The page, the files and the words of a comparison of versions."""
