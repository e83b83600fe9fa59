"""The provincial office's task tracking: tasks of Decision 1982/QĐ-UBND and of one plan."""
