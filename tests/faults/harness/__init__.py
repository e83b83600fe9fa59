"""Faults drawn by seed and done to real runs: what is drawn, when it strikes, how, and what must hold afterwards."""
