"""Names that a capture states: one module per protocol, and the tables made of them."""
