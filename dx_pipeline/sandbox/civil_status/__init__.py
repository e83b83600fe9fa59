"""The department of justice's register of civil status: one JSON file per month, all invented."""
