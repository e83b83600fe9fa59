"""How much disk, time and hardware a number of dossiers takes, from coefficients that were measured."""
