"""`python -m loket` and the `loket` command."""

from loket.cli.main import main

if __name__ == "__main__":
    main()
