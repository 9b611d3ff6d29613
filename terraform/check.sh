#!/usr/bin/env bash
# Formatting, validity and tests of every module and environment, and what must be refused. No account and no key is needed:
# providers only pretend.
# STOA_TF_PLUGINS: a directory with providers, for machines that cannot reach their registry.
set -euo pipefail
cd "$(dirname "$0")"

command -v terraform >/dev/null || {
  echo "terraform is missing: https://developer.hashicorp.com/terraform/install" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"; forget' EXIT
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_CLI_CONFIG_FILE=$work/terraform.rc
# Whoever cannot reach the registry is to notice soon.
export TF_REGISTRY_CLIENT_TIMEOUT=15 TF_REGISTRY_DISCOVERY_RETRY=1
plugins=${STOA_TF_PLUGINS:-/opt/tf-plugins}
registry=registry.terraform.io/hashicorp
refused=../tools/terraform-schema/refused

# Where each provider comes from: directories with those that lie there, the registry for all others.
providers() {
  {
    echo "provider_installation {"
    for dir in "$@"; do
      echo "  filesystem_mirror {"
      echo "    path = \"$dir\""
      echo "    include = [$(here "$dir")]"
      echo "  }"
    done
    echo "  direct {"
    echo "    exclude = [$(for dir in "$@"; do here "$dir"; done)]"
    echo "  }"
    echo "}"
  } >"$TF_CLI_CONFIG_FILE"
}

# Addresses of the providers that lie in a directory.
here() {
  for provider in "$1/$registry"/*/; do
    [ ! -d "$provider" ] || printf '"%s/%s", ' "$registry" "$(basename "$provider")"
  done
}

# Which version is the newest today is no part of the checkout.
forget() {
  find . "$refused" -name .terraform.lock.hcl -delete
}

# Providers that were fetched once are fetched; they are kept outside the checkout.
initialise() {
  export TF_DATA_DIR=$work/data/${1//\//-}
  mkdir -p "$work/cache"
  TF_PLUGIN_CACHE_DIR=$work/cache TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE=true \
    terraform -chdir="$1" init -backend=false -input=false -no-color >"$work/init.log" 2>&1
}

sources=()
[ ! -d "$plugins" ] || sources=("$plugins")
providers "${sources[@]}"
if initialise gcp/modules/secrets; then
  google="the real provider"
elif ! command -v cargo >/dev/null; then
  cat "$work/init.log" >&2
  echo "neither the registry nor cargo is here, which would make a provider from published bindings" >&2
  exit 1
else
  sources+=("$(cd .. && cargo xtask terraform-mirror)")
  providers "${sources[@]}"
  forget
  # It speaks plain text on its socket.
  export TF_DISABLE_PLUGIN_TLS=1
  google="no registry: the schema from published bindings, in the provider's place (tools/terraform-schema)"
fi
echo "google: $google"

terraform fmt -check -diff -recursive .
terraform fmt -check -diff -recursive "$refused"
./interface.sh

passed=0
for dir in {aws,gcp}/state {aws,gcp}/modules/*/ {aws,gcp}/environments/*/; do
  dir=${dir%/}
  initialise "$dir" || {
    cat "$work/init.log" >&2
    exit 1
  }
  terraform -chdir="$dir" validate -no-color >"$work/validate.log" 2>&1 || {
    cat "$work/validate.log" >&2
    exit 1
  }
  if [ -d "$dir/tests" ]; then
    terraform -chdir="$dir" test -no-color >"$work/test.log" 2>&1 || {
      cat "$work/test.log" >&2
      exit 1
    }
    runs=$(grep -c '^  run .*\.\.\. pass$' "$work/test.log")
    passed=$((passed + runs))
    echo "$dir: valid, $runs runs pass"
  else
    echo "$dir: valid"
  fi
done
echo "$passed runs of terraform test pass"

# What validation is good for: each of these is wrong in one place, which its first line names.
count=0
for dir in "$refused"/*/; do
  dir=${dir%/}
  why=$(sed -n '1s/^# Refused: //p' "$dir/main.tf")
  [ -n "$why" ] || {
    echo "$dir does not say what is wrong with it" >&2
    exit 1
  }
  initialise "$dir" || {
    cat "$work/init.log" >&2
    exit 1
  }
  if terraform -chdir="$dir" validate -no-color >"$work/validate.log" 2>&1; then
    echo "$dir is valid, and must not be" >&2
    exit 1
  fi
  tr -s '\n ' ' ' <"$work/validate.log" | grep -qF -- "$why" || {
    cat "$work/validate.log" >&2
    echo "$dir is refused for another reason than: $why" >&2
    exit 1
  }
  count=$((count + 1))
done
echo "$count modules with one mistake each are refused"
