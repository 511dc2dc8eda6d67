"""`python -m jobsd` is `jobsd`."""

from jobsd.cli import main

if __name__ == "__main__":
    main()
