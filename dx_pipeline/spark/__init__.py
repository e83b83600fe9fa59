"""Cleaning of large batches on a cluster of Apache Spark: the same function per batch, on the executors."""
