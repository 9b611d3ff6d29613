# A repository for each image. A tag means one image for ever.

resource "aws_ecr_repository" "this" {
  for_each             = var.images
  name                 = "stoa/${each.value}"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

# What nobody named, and more than a hundred releases back.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = var.images
  repository = aws_ecr_repository.this[each.value].name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "without a tag"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "old releases"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 100 }
        action       = { type = "expire" }
      },
    ]
  })
}
