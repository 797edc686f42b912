"""What people see: summaries, plots, the progress bar."""
