"""The validation step of one dataset by the judge, by hand and by the peers, on the same cleaned rows."""
