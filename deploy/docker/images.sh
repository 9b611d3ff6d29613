#!/usr/bin/env bash
# The images there are, one a line: the last stages of the Dockerfile.
set -euo pipefail
sed -n 's/^FROM base AS //p' "$(dirname "$0")/Dockerfile"
