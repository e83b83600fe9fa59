"""Home Affairs' register of staff (Sở Nội vụ): one line per person and year."""
