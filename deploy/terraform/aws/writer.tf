# What the daemons are. It can add to the archive and look at it; all nodes share it.

locals {
  writer_oidc_issuer = var.writer_oidc == null ? "" : split("oidc-provider/", var.writer_oidc.provider_arn)[1]

  writer_trust = concat(
    [
      for arns in [var.writer_principal_arns] : {
        Effect    = "Allow"
        Principal = { AWS = arns }
        Action    = "sts:AssumeRole"
      } if length(arns) > 0
    ],
    [
      for oidc in var.writer_oidc[*] : {
        Effect    = "Allow"
        Principal = { Federated = oidc.provider_arn }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "${local.writer_oidc_issuer}:aud" = oidc.audience
            "${local.writer_oidc_issuer}:sub" = oidc.subjects
          }
        }
      }
    ],
  )

  writer_groups = jsondecode(templatefile("${path.module}/policies/writer.json.tftpl", {
    bucket_arn      = local.bucket_arn
    kms_key_arn     = aws_kms_key.archive.arn
    kms_via_service = local.kms_via_service
    prefix          = local.key_prefix
  }))

  writer_statements = concat(
    local.writer_groups.always,
    [for statement in local.writer_groups.when_prefix : statement if var.prefix != ""],
    [for statement in local.writer_groups.when_whole_bucket : statement if var.prefix == ""],
    [for statement in local.writer_groups.when_writer_sets_retention : statement if var.writer_sets_retention],
    local.writer_groups.encryption,
  )
}

resource "aws_iam_role" "writer" {
  name               = local.writer_name
  description        = "audit-shipper: adds to the archive ${var.bucket_name}"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = local.writer_trust })
  tags               = var.tags

  lifecycle {
    precondition {
      condition     = length(var.writer_principal_arns) > 0 || var.writer_oidc != null
      error_message = "Nobody could become the writer: give writer_principal_arns, writer_oidc or both."
    }
  }
}

resource "aws_iam_role_policy" "writer" {
  name   = "archive"
  role   = aws_iam_role.writer.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.writer_statements })
}
