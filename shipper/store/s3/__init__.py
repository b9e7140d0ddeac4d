"""S3 with Object Lock: versions that nobody can delete before their date."""
