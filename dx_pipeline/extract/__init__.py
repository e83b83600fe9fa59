"""Read a source: relational databases and files, as Arrow record batches with a count taken in the same snapshot."""
