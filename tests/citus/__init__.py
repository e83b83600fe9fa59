"""The rules a warehouse SQL must obey to run unchanged on Citus, checked on the syntax tree of every statement."""
