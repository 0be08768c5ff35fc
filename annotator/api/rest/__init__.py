"""The REST API at `/api/v1/`: what the pages do, for programs.

A call is thin: it finds what it is about through `access`, calls the function that the page calls, and shows the result.
"""
