"""Pure cleaning functions on Arrow arrays, one per semantic type."""
