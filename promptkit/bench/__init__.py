"""What a model is worth under each strategy, measured through promptkit itself: `promptkit bench builtin`."""
