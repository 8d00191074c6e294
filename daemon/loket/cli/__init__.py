"""The `loket` command: thin functions that parse arguments, call one function and print."""
