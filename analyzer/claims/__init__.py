"""Claims: stated sentences, tested by queries over the tables."""
