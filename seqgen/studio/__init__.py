"""The studio: a local page and an HTTP API for trained models (extra `studio`)."""
