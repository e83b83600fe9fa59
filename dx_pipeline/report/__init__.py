"""The report for the steering committee: numbers by SQL, drawn and printed."""
