# Who verifies. Reads the whole bucket, beyond the prefix too, since what somebody has put beside
# a log is evidence; writes nothing.

locals {
  auditor_groups = jsondecode(templatefile("${path.module}/policies/auditor.json.tftpl", {
    bucket_arn      = local.bucket_arn
    kms_key_arn     = aws_kms_key.archive.arn
    kms_via_service = local.kms_via_service
  }))

  auditor_statements = concat(local.auditor_groups.always, local.auditor_groups.encryption)
}

resource "aws_iam_role" "auditor" {
  name        = local.auditor_name
  description = "audit-shipper: reads and verifies the archive ${var.bucket_name}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.auditor_principal_arns }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "auditor" {
  name   = "archive"
  role   = aws_iam_role.auditor.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.auditor_statements })
}
