"""The dictionary and the quality board as a static, offline site: ``dx docs build``."""
