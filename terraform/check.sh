#!/usr/bin/env bash
# Formatting, validity and tests of every module and environment. No account and no key is needed: the provider only pretends.
# STOA_TF_PLUGINS: a directory with providers, for machines that cannot reach their registry.
set -euo pipefail
cd "$(dirname "$0")"

command -v terraform >/dev/null || {
  echo "terraform is missing: https://developer.hashicorp.com/terraform/install" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1
unset TF_CLI_CONFIG_FILE
plugins=${STOA_TF_PLUGINS:-/opt/tf-plugins}
if [ -d "$plugins" ]; then
  cat >"$work/terraform.rc" <<RC
provider_installation {
  filesystem_mirror {
    path    = "$plugins"
    include = ["registry.terraform.io/*/*"]
  }
  direct {
    exclude = ["registry.terraform.io/*/*"]
  }
}
RC
  export TF_CLI_CONFIG_FILE=$work/terraform.rc
fi

terraform fmt -check -diff -recursive .
passed=0
for dir in aws/state aws/modules/*/ aws/environments/*/; do
  # Where it keeps its plugins: outside the checkout.
  export TF_DATA_DIR=$work/${dir//\//-}
  terraform -chdir="$dir" init -backend=false -input=false -no-color >"$work/init.log" 2>&1 || {
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
    here=$(grep -c '\.\.\. pass$' <(grep '^  run ' "$work/test.log"))
    passed=$((passed + here))
    echo "$dir: valid, $here runs pass"
  else
    echo "$dir: valid"
  fi
  find "$dir" -maxdepth 1 -name .terraform.lock.hcl -delete
done
echo "$passed runs of terraform test pass"
