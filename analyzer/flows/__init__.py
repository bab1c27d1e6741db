"""Flows seen from the phone: who it is, which app and host, how many bytes."""
