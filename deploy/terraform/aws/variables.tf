variable "bucket_name" {
  description = "Name of the bucket to make. It holds the archive and nothing else."
  type        = string
  nullable    = false

  validation {
    # No dots: with them the certificate of bucket.s3.amazonaws.com does not match.
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be 3 to 63 characters of a-z, 0-9 and -, the first and last no -."
  }
}

variable "prefix" {
  description = "Where in the bucket logs lie and the writer may write, such as \"k8s\" or \"prod/k8s\"; empty for the whole bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    # Without * ? $ it means in a policy what it says. The daemon refuses . and .. as parts.
    condition = (
      can(regex("^([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?$", var.prefix)) &&
      alltrue([for part in split("/", var.prefix) : !contains([".", ".."], part)])
    )
    error_message = "prefix must be parts of A-Z a-z 0-9 _ . - joined by /, none of them . or .., with no / at either end."
  }
}

variable "retention_days" {
  description = "How long nobody can delete an object. 400 days are a year and the time to look at it."
  type        = number
  default     = 400
  nullable    = false

  validation {
    # 100 years are the most that S3 takes.
    condition     = var.retention_days >= 1 && var.retention_days <= 36500 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days must be a whole number from 1 to 36500."
  }
}

variable "mode" {
  description = "COMPLIANCE binds everybody, the account's root and AWS included; GOVERNANCE all but those who may bypass it."
  type        = string
  default     = "COMPLIANCE"
  nullable    = false

  validation {
    condition     = contains(["COMPLIANCE", "GOVERNANCE"], var.mode)
    error_message = "mode must be COMPLIANCE or GOVERNANCE."
  }
}

variable "default_retention" {
  description = "Whether the bucket locks each object that comes without a lock, for retention_days in mode."
  type        = bool
  default     = true
  nullable    = false
}

variable "writer_sets_retention" {
  description = "true for `store.lock: object` (each upload carries its lock), false for `store.lock: bucket-default`."
  type        = bool
  default     = true
  nullable    = false
}

variable "writer_principal_arns" {
  description = "Roles and users that may become the writer: those of the nodes that run audit-shipper."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for arn in var.writer_principal_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[^*]+$", arn))
    ])
    error_message = "writer_principal_arns must be ARNs of IAM principals, without *."
  }
}

variable "writer_oidc" {
  description = "Lets service accounts become the writer: the cluster's OIDC provider in IAM, and their subjects, such as system:serviceaccount:audit:audit-shipper."
  type = object({
    provider_arn = string
    subjects     = list(string)
    audience     = optional(string, "sts.amazonaws.com")
  })
  default = null

  validation {
    condition     = var.writer_oidc == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:oidc-provider/.+$", var.writer_oidc.provider_arn))
    error_message = "writer_oidc.provider_arn must be the ARN of an OIDC provider in IAM."
  }

  validation {
    # A subject with * would make writers of service accounts that nobody has named.
    condition = var.writer_oidc == null ? true : (
      length(var.writer_oidc.subjects) > 0 &&
      alltrue([for subject in var.writer_oidc.subjects : can(regex("^[^*?]+$", subject))])
    )
    error_message = "writer_oidc.subjects must name at least one subject, without * and ?."
  }
}

variable "auditor_principal_arns" {
  description = "Roles and users that may become the auditor: people and machines of another trust domain than the writer's."
  type        = list(string)
  nullable    = false

  validation {
    condition = length(var.auditor_principal_arns) > 0 && alltrue([
      for arn in var.auditor_principal_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[^*]+$", arn))
    ])
    error_message = "auditor_principal_arns must name at least one IAM principal by its ARN, without *."
  }
}

variable "kms_admin_arns" {
  description = "Who administers the key (no use of it, no deletion). Empty: whoever this account's IAM policies allow. If given, whoever applies this must be among them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for arn in var.kms_admin_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[^*]+$", arn))
    ])
    error_message = "kms_admin_arns must be ARNs of IAM principals, without *."
  }
}

variable "transition_days" {
  description = "Days after which objects move to transition_storage_class; null for never."
  type        = number
  default     = null

  validation {
    condition     = var.transition_days == null ? true : var.transition_days >= 30 && floor(var.transition_days) == var.transition_days
    error_message = "transition_days must be a whole number of at least 30, or null."
  }
}

variable "transition_storage_class" {
  description = "STANDARD_IA, INTELLIGENT_TIERING or GLACIER_IR."
  type        = string
  default     = "GLACIER_IR"
  nullable    = false

  validation {
    # The others cannot be read at once (a verifier reads everything), or lie in one zone alone.
    condition     = contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"], var.transition_storage_class)
    error_message = "transition_storage_class must be STANDARD_IA, INTELLIGENT_TIERING or GLACIER_IR: what a verifier can read at once, kept in several zones."
  }
}

variable "expire_after_days" {
  description = "Days after which objects are removed, more than retention_days; null for never. Records that were removed are missing, and verify says so (exit code 4): it cannot tell an expiry from a theft."
  type        = number
  default     = null

  # That it is more than retention_days is checked in bucket.tf: before Terraform 1.9 a variable
  # cannot look at another one.
  validation {
    condition     = var.expire_after_days == null ? true : floor(var.expire_after_days) == var.expire_after_days
    error_message = "expire_after_days must be a whole number, or null."
  }
}

variable "tags" {
  description = "Tags for everything that is made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
