"""Reading what a run recorded: traces as tables, and the verdict on what bounds a path."""
