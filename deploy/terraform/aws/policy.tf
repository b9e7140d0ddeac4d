# The statements are in policies/*.json.tftpl, in groups, so that the tests can run the very same
# ones against other S3 services. README.md says what each refuses and why.

locals {
  bucket_groups = jsondecode(templatefile("${path.module}/policies/bucket.json.tftpl", {
    bucket_arn  = local.bucket_arn
    kms_key_arn = aws_kms_key.archive.arn
    mode        = var.mode
    # A day to either side: how S3 rounds the remaining days is not documented, and the lock is
    # dated by the daemon's clock.
    min_days   = var.retention_days - 1
    max_days   = var.retention_days + 1
    writer_arn = local.writer_role_arn
  }))

  bucket_statements = concat(
    local.bucket_groups.always,
    local.bucket_groups.encryption,
    [for statement in local.bucket_groups.when_writer_sets_retention : statement if var.writer_sets_retention],
    [for statement in local.bucket_groups.when_bucket_sets_retention : statement if !var.writer_sets_retention],
  )
}

resource "aws_s3_bucket_policy" "archive" {
  bucket = aws_s3_bucket.archive.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.bucket_statements })

  # S3 refuses two changes of a bucket's access at a time.
  depends_on = [aws_s3_bucket_ownership_controls.archive, aws_s3_bucket_public_access_block.archive]
}
