#!/usr/bin/env bash
# Builds every image of ours, tagged by VERSION (a commit by default, so that a tag means one thing for ever), and says how big
# each is. BUILDER: another program than docker, for example "buildah bud". PUSH=1 pushes.
set -euo pipefail
cd "$(dirname "$0")/../.."

revision=$(git rev-parse HEAD)
version=${VERSION:-$revision}
registry=${REGISTRY:-registry.example.com}
read -ra builder <<<"${BUILDER:-docker build}"
budget=$((25 * 1024 * 1024))

deploy/docker/images.sh | while read -r image; do
  name=$registry/stoa/$image:$version
  "${builder[@]}" --file deploy/docker/Dockerfile --target "$image" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --tag "$name" . >&2 </dev/null
  # Docker and Podman say it by different names.
  size=$("${builder[0]}" inspect --type image --format '{{.Size}}' "$name" 2>/dev/null || podman image inspect --format '{{.Size}}' "$name")
  if [ "$size" -gt "$budget" ]; then
    echo "$name has $size bytes, more than $budget" >&2
    exit 1
  fi
  printf '%5.1f MB  %s\n' "$((size / 100000))e-1" "$name"
  [ -z "${PUSH:-}" ] || "${builder[0]}" push "$name" </dev/null
done
