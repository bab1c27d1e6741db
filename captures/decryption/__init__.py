"""Traffic opened with keys that the user has: TLS and QUIC through tshark, MMTLS by its own rules.

Nothing here is needed to read a capture, and nothing here runs without keys. What was opened is
handed on in pieces of plain bytes (`opened.Opened`), a message or a part of one at a time, beside
an account of what was opened and what was not (`opened.Attempt`).

Secrets stay in memory: no key is written to disk where the system can hold a file that lies
nowhere, none is in a message, and none in the arguments or the environment of a child process.
"""
