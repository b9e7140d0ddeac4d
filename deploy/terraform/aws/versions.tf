terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  # `id`, since `name` is deprecated from version 6 of the provider on, and version 5 has no other.
  region = data.aws_region.current.id

  account_root_arn = "arn:${local.partition}:iam::${local.account}:root"

  # Put together here rather than read from the resources, so that a plan shows them.
  bucket_arn       = "arn:${local.partition}:s3:::${var.bucket_name}"
  writer_name      = "${substr(var.bucket_name, 0, 56)}-writer"
  auditor_name     = "${substr(var.bucket_name, 0, 56)}-auditor"
  writer_role_arn  = "arn:${local.partition}:iam::${local.account}:role/${local.writer_name}"
  auditor_role_arn = "arn:${local.partition}:iam::${local.account}:role/${local.auditor_name}"

  # What keys begin with: empty, or ending in a slash, so that "k8s" does not open "k8s-other".
  key_prefix = var.prefix == "" ? "" : "${var.prefix}/"

  # The key does its work for S3 in this region and for nothing else.
  kms_via_service = "s3.${local.region}.${data.aws_partition.current.dns_suffix}"
}
