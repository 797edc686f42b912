"""Output for the user: summaries, listings, plots and the progress bar."""
