"""Bytes → tables: what a capture holds, before anyone asks whose phone it was.

Opens files, containers and compression; walks records in bounded windows with one compiled
loop; hands on packets, conversations, name sightings and oddities as the tables of
`captures.tables`. Knows no other room.

A capture has two ends per conversation, `a` (the one that sent first) and `b`. Which of them
is the phone is the analyzer's business.
"""
