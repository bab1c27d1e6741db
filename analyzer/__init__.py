"""Tables → tables: what the phone sent, to whom, where, and in which phase.

Takes the tables of `captures` and `geo`; finds the phone, turns conversations into flows,
keeps the ledger, lays phases over time, adds up uploads, compares. `analysis.analyze` is the
one place that calls the rooms in order.
"""
