"""What bytes hold: known identifiers, tokens that nobody listed, what keys open."""
