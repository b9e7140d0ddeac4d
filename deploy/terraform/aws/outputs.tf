output "bucket" {
  description = "The bucket's name."
  value       = aws_s3_bucket.archive.id
}

output "writer_role_arn" {
  description = "What the daemons' credentials must become."
  value       = aws_iam_role.writer.arn
}

output "auditor_role_arn" {
  description = "What `audit-shipper verify` needs."
  value       = aws_iam_role.auditor.arn
}

output "kms_key_arn" {
  description = "The key that everything in the archive is encrypted with."
  value       = aws_kms_key.archive.arn
}

output "config" {
  description = "The `store` section of audit-shipper's configuration, YAML."
  value       = <<-YAML
    store:
      url: ${trimsuffix("s3://${aws_s3_bucket.archive.id}/${local.key_prefix}", "/")}
      retention: ${var.retention_days}d
      mode: ${var.mode}
      lock: ${var.writer_sets_retention ? "object" : "bucket-default"}
      s3:
        region: ${local.region}
        sse: aws:kms
        sse_kms_key_id: ${aws_kms_key.archive.arn}
        bucket_owner: "${local.account}"
  YAML
}
