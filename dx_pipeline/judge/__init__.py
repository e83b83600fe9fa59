"""The judge: Great Expectations suites compiled to one tagging pass, one verdict per row."""
