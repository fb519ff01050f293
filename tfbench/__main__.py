"""`python -m tfbench` is `tfbench`."""

from tfbench.command.cli import main

if __name__ == "__main__":
    main()
