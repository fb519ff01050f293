"""What a run says, derived once into values: every table, plot and form shows these."""
