resource "aws_s3_bucket" "archive" {
  bucket = var.bucket_name
  # Only at its making, and for good: it cannot be turned off again.
  object_lock_enabled = true
  tags                = var.tags

  lifecycle {
    # Also against a new name, which would make a new bucket and leave this one behind.
    prevent_destroy = true

    precondition {
      condition     = var.default_retention || var.writer_sets_retention
      error_message = "default_retention and writer_sets_retention are both false: nothing would lock what is stored."
    }
  }
}

resource "aws_s3_bucket_versioning" "archive" {
  bucket = aws_s3_bucket.archive.id

  versioning_configuration {
    status = "Enabled"
  }
}

# Covers what comes without a lock of its own, whoever stores it. It can be changed for later
# objects at any time, so it is a net: an auditor looks at the lock of each object.
resource "aws_s3_bucket_object_lock_configuration" "archive" {
  bucket = aws_s3_bucket.archive.id

  dynamic "rule" {
    for_each = var.default_retention ? [1] : []

    content {
      default_retention {
        mode = var.mode
        days = var.retention_days
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.archive]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "archive" {
  bucket = aws_s3_bucket.archive.id

  rule {
    # One call to KMS for many objects instead of one each: small records are most of the archive.
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.archive.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "archive" {
  bucket                  = aws_s3_bucket.archive.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# No ACLs: policies alone say who may do what.
resource "aws_s3_bucket_ownership_controls" "archive" {
  bucket = aws_s3_bucket.archive.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "archive" {
  bucket = aws_s3_bucket.archive.id

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"

    filter {}

    # The daemon makes none. Parts of an upload are no objects, so no lock is touched.
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = var.transition_days == null ? [] : [var.transition_days]

    content {
      id     = "transition"
      status = "Enabled"

      filter {}

      transition {
        days          = rule.value
        storage_class = var.transition_storage_class
      }
    }
  }

  dynamic "rule" {
    for_each = var.expire_after_days == null ? [] : [var.expire_after_days]

    content {
      id     = "expire"
      status = "Enabled"

      filter {}

      # Of a versioned object this hides the newest version; the next rule removes it.
      expiration {
        days = rule.value
      }

      # Counted from the day on which a version was hidden, by the rule above or by a person. What
      # is locked stays (S3 lets no rule remove it); what is hidden once its lock has ended stays
      # until expire_after_days all the same.
      noncurrent_version_expiration {
        noncurrent_days = max(1, rule.value - var.retention_days)
      }
    }
  }

  dynamic "rule" {
    for_each = var.expire_after_days == null ? [] : [1]

    content {
      id     = "remove-markers-that-hide-nothing"
      status = "Enabled"

      filter {}

      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.expire_after_days == null ? true : var.expire_after_days > var.retention_days
      error_message = "expire_after_days must be more than retention_days: nothing is removed while it is to be kept."
    }
  }

  depends_on = [aws_s3_bucket_versioning.archive]
}
