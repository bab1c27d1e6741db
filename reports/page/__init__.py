"""The page people read: its parts, and the same in Markdown."""
