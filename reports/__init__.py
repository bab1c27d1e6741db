"""Tables → files: the page, its figures, JSON, CSV, Parquet, the manifest, the terminal.

Takes one `analyzer.tables.Analysis`, touches no capture, and does no arithmetic but sums and
formats of table columns. `write.write` makes the folder of results; `terminal.summary` and
`data.summary_json` are what the command line prints.
"""
