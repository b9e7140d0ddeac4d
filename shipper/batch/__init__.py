"""When a batch ends, and what it holds until then."""
