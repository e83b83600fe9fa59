"""The landing zone: immutable, hashed Parquet batches that can be replayed without touching the source."""
