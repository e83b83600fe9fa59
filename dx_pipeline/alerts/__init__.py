"""Alerts: what is wrong now, told once while it lasts, by log, mail or webhook."""
