"""What cannot run in CI because its server cannot be installed there; the operator gives one."""
