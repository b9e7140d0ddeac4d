# Whoever destroys this key destroys the archive, whatever Object Lock says: so it is guarded as
# the bucket is.
resource "aws_kms_key" "archive" {
  description             = "Audit archive in the bucket ${var.bucket_name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode({ Version = "2012-10-17", Statement = local.key_statements })
  tags                    = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

locals {
  # No use of the key, no grants (they would give its use away), no deletion.
  key_administration = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
  ]

  key_statements = [
    {
      Sid       = "Administer"
      Effect    = "Allow"
      Principal = { AWS = length(var.kms_admin_arns) > 0 ? var.kms_admin_arns : [local.account_root_arn] }
      Action    = local.key_administration
      Resource  = "*"
    },
    {
      # A key whose administrators are gone could be mended by AWS's support alone.
      Sid       = "RootUserRecovers"
      Effect    = "Allow"
      Principal = { AWS = local.account_root_arn }
      Action    = local.key_administration
      Resource  = "*"
      Condition = { ArnEquals = { "aws:PrincipalArn" = local.account_root_arn } }
    },
    {
      # The roles by condition, not as principals: these are kept as ids, which go stale when a
      # role is made anew. The account as principal means that the role's own policy must agree.
      Sid       = "WriterEncrypts"
      Effect    = "Allow"
      Principal = { AWS = local.account_root_arn }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = {
        ArnEquals    = { "aws:PrincipalArn" = local.writer_role_arn }
        StringEquals = { "kms:ViaService" = local.kms_via_service }
      }
    },
    {
      Sid       = "AuditorDecrypts"
      Effect    = "Allow"
      Principal = { AWS = local.account_root_arn }
      Action    = ["kms:Decrypt"]
      Resource  = "*"
      Condition = {
        ArnEquals    = { "aws:PrincipalArn" = local.auditor_role_arn }
        StringEquals = { "kms:ViaService" = local.kms_via_service }
      }
    },
    {
      # Whoever really must has to change this policy first, which is seen.
      Sid       = "NobodyDestroysTheKey"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["kms:DisableKey", "kms:ScheduleKeyDeletion"]
      Resource  = "*"
    },
  ]
}
