"""The shared provincial data warehouse: departmental sources to a PostgreSQL star schema, every row accounted for."""

__version__ = "0.1.0"
