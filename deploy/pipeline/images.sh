#!/usr/bin/env bash
# What is done with images before anybody runs them: a bill of materials each, a scan that stops at what can be fixed, a signature.
# Needs syft, trivy, cosign and docker. VERSION, REGISTRY as `make images` has them; SIGN=1 signs what was pushed.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${VERSION:-$(git rev-parse HEAD)}
registry=${REGISTRY:-registry.example.com}
out=${OUT:-.stoa/sbom}
mkdir -p "$out"
for image in $(deploy/docker/images.sh); do
  name=$registry/stoa/$image:$version
  syft scan "$name" --output "spdx-json=$out/$image.spdx.json"
  trivy image --exit-code 1 --ignore-unfixed --severity HIGH,CRITICAL "$name"
  if [ -n "${SIGN:-}" ]; then
    # By digest: a signature is of what was built, not of a name.
    digest=$(docker inspect --format '{{index .RepoDigests 0}}' "$name")
    cosign sign --yes "$digest"
    cosign attest --yes --type spdxjson --predicate "$out/$image.spdx.json" "$digest"
  fi
done
