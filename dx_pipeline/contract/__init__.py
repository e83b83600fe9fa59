"""What a department signs: contracts (ODCS v3.1), typed, and the catalog of all of them."""
