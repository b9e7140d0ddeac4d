"""One file a kind of receiver: from a message to an HTTP request. Pure; nothing is sent here."""
