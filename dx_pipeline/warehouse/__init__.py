"""The warehouse: embedded PostgreSQL, migrations, stage, star merges, ledger and quarantine."""
