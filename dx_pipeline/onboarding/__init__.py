"""Onboarding: draft contract, suite and load SQL of a source from what the source itself shows."""
