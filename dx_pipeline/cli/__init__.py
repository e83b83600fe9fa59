"""The ``dx`` command."""
