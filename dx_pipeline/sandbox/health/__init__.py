"""The health department's table of facilities: beds, electronic health records, insurance cards."""
