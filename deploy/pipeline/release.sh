#!/usr/bin/env bash
# Installs a release and waits until it has taken over, or goes back: release.sh staging|production <tag>. Argo goes back by itself
# where a canary breaks its promises; this goes back where anything else fails.
set -euo pipefail
cd "$(dirname "$0")/../.."

overlay=$1
release=$2
settings=k8s/overlays/$overlay/settings.yaml
services=(cart catalog identity inventory notifications orders payments)
patience=${PATIENCE:-45m}

install() {
  sed -i "s|^  release: .*|  release: \"$1\"|" "$settings"
  kubectl apply --server-side --kustomize "k8s/overlays/$overlay"
}

taken_over() {
  kubectl -n stoa wait --for=condition=complete job --selector app.kubernetes.io/component=migration --timeout=15m
  local service
  for service in "${services[@]}"; do
    if kubectl -n stoa get rollout "$service" >/dev/null 2>&1; then
      kubectl argo rollouts -n stoa status "$service" --timeout "$patience"
    else
      kubectl -n stoa rollout status deployment "$service" --timeout "$patience"
    fi
  done
  kubectl -n stoa rollout status deployment edge --timeout "$patience"
}

before=$(kubectl -n stoa get deployment edge -o jsonpath='{.spec.template.spec.initContainers[0].image}' 2>/dev/null | sed 's/.*://' || true)
install "$release"
if taken_over; then
  echo "$overlay runs $release"
  exit 0
fi
if [ -z "$before" ] || [ "$before" = "$release" ]; then
  echo "$release has not taken over, and there is nothing to go back to" >&2
  exit 1
fi
echo "$release has not taken over: back to $before" >&2
install "$before"
taken_over
exit 1
