"""`python -m bench` is `tfbench`."""

from bench.command.cli import main

if __name__ == "__main__":
    main()
