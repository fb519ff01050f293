"""Known changes of the code, planted to see whether the guard finds them."""
