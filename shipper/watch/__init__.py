"""The receiving end watches: verifies an archive again and again, and says when it is not well."""
