"""`tfbench`, and `python -m tfbench`: a signal ends it in one line from its first moment on."""

from bench.sweep import interrupts


def main() -> None:
    """Run the command line; ends the process."""
    interrupts.end_at_once()
    from tfbench.command import cli

    cli.main()


if __name__ == "__main__":
    main()
