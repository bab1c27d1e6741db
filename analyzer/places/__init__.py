"""Where addresses are and who runs the hosts, with a verdict on each place."""
