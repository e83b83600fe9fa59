"""The HTTP systems of the sandbox: one server process on 127.0.0.1 that answers for all of them.

``apis.py`` lists the systems, ``serve.py`` is the process, ``process.py`` starts, finds and stops it.
"""
