"""Dagster assets, checks, schedules and the steps they run."""
