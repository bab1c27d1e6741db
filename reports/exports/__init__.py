"""The folder of results: JSON, Parquet, CSV, and the manifest."""
