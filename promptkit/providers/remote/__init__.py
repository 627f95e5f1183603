"""What models behind an API share: requests, streamed replies, errors, options, a client per event loop."""
