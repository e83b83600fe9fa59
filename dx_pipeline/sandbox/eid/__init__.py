"""The provincial police's monthly workbooks of electronic identities by commune."""
