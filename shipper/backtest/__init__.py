"""What rules would have found in sealed history."""
