"""A province to try: real databases with planted faults whose truth is known."""
