provider "aws" {
  region = "eu-central-1"
}

module "archive" {
  source = "../.."

  bucket_name            = "example-audit-archive"
  prefix                 = "k8s"
  writer_principal_arns  = ["arn:aws:iam::111122223333:role/control-plane-node"]
  auditor_principal_arns = ["arn:aws:iam::111122223333:role/security-audit"]
}

output "writer_role_arn" {
  value = module.archive.writer_role_arn
}

output "auditor_role_arn" {
  value = module.archive.auditor_role_arn
}

output "config" {
  value = module.archive.config
}
