"""What leaves the warehouse as files: marts with their dictionary, open data, aggregates in the shape of other systems."""
