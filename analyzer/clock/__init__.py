"""Whether the clock of a timeline is that of the capture, and how far it is off."""
