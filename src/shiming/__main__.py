"""`python -m shiming`: the same as the `shiming` command."""

from shiming.entrypoints.cli import main

if __name__ == "__main__":
    main()
