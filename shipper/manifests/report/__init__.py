"""A report in the forms that people and CI systems read, one a file. Nothing is printed here."""
