#!/usr/bin/env bash
# Builds every image of ours, tagged by VERSION (a commit by default, so that a tag means one thing for ever), and says how big
# each is. BUILDER: another program than docker, for example "buildah bud". PUSH=1 pushes.
set -euo pipefail
cd "$(dirname "$0")/../.."

revision=$(git rev-parse HEAD)
version=${VERSION:-$revision}
registry=${REGISTRY:-registry.example.com}
read -ra builder <<<"${BUILDER:-docker build}"
images=(cart catalog docs edge-config guard identity inventory notifications orders payments prober stoactl)
budget=$((25 * 1024 * 1024))

for image in "${images[@]}"; do
  name=$registry/stoa/$image:$version
  "${builder[@]}" --file deploy/docker/Dockerfile --target "$image" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --tag "$name" .
  size=$("${builder[0]}" inspect --format '{{.Size}}' "$name" 2>/dev/null || echo 0)
  if [ "$size" -gt "$budget" ]; then
    echo "$name has $size bytes, more than $budget" >&2
    exit 1
  fi
  echo "$name: $size bytes"
  [ -z "${PUSH:-}" ] || "${builder[0]}" push "$name"
done
