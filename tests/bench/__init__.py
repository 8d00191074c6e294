"""How fast Loket is, measured against what the servers and the store could do at most: `python -m tests.bench`."""
