"""Peers: one file each, run by the Python of the bench venv, reading its order from the environment.

The road's own code is never imported here, and none of the peers' libraries by the product.
"""
