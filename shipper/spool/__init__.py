"""The FIFO of sealed records on disk."""
