#!/usr/bin/env bash
# The images without Docker and without a registry: the programs are built here as the Dockerfile builds them, its last stages
# are built by Buildah on nothing (`scratch` in place of distroless), and the platform runs from them while somebody shops.
# Needs Debian and root. PROGRAMS: a directory of what programs.sh built before. What it leaves out: the Dockerfile's first
# stages, and what distroless adds (authorities, time zones: 2 MB).
set -euo pipefail
cd "$(dirname "$0")/../.."

[ "$(id -u)" = 0 ] || { echo "containers are made by root here" >&2; exit 1; }
packages=(ca-certificates podman buildah runc netavark aardvark-dns iptables catatonit)
dpkg -s "${packages[@]}" >/dev/null 2>&1 || apt-get install --yes --no-install-recommends "${packages[@]}"

work=$(mktemp --directory)
end() {
  [ ! -d "$work/images" ] || podman rm --all --force --time 10 >/dev/null
  rm -rf "$work"
}
trap end EXIT

mkdir -p "$work/viewer/out" "$work/bin"
if [ -n "${PROGRAMS:-}" ]; then
  mkdir "$work/build"
  cp -r "$PROGRAMS" "$work/build/out"
else
  cargo auditable --version >/dev/null 2>&1 || cargo install --locked "$(grep --only-matching 'cargo-auditable@[0-9.]*' deploy/docker/Dockerfile)"
  # Beside what `make up` builds, which has other flags.
  CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/stoa/target}-static deploy/docker/programs.sh "$work/build/out"
fi
npm install --prefix "$work/npm" --ignore-scripts --no-fund --no-audit --silent \
  "$(grep --only-matching 'swagger-ui-dist@[0-9.]*' deploy/docker/Dockerfile)"
for file in swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt swagger-ui.css LICENSE NOTICE; do
  cp "$work/npm/node_modules/swagger-ui-dist/$file" "$work/viewer/out"
done

# Settings that work where there is neither systemd nor a second user. Nothing is left in the machine's own store of images, and
# images are copied, for overlays with mapped users need a newer kernel than some.
cat > "$work/containers.conf" <<'CONF'
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
CONF
cat > "$work/storage.conf" <<CONF
[storage]
driver = "vfs"
graphroot = "$work/images"
runroot = "$work/run"
CONF
export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf REGISTRY=localhost VERSION=try
BUILDER="buildah bud --quiet --isolation chroot --build-arg BASE_IMAGE=scratch --build-context build=$work/build --build-context viewer=$work/viewer" \
  deploy/docker/build.sh

# A program of the platform becomes a container of its image: nobody's user, nothing writable, no capabilities. The user of the
# image is root outside, for the keys that it reads belong to root here. Authorities come from here, as distroless brings them.
for image in $(deploy/docker/images.sh); do
  cat > "$work/bin/$image" <<RUN
#!/bin/sh
export CONTAINERS_CONF=$CONTAINERS_CONF CONTAINERS_STORAGE_CONF=$CONTAINERS_STORAGE_CONF
exec podman run --rm --network host --env-host --read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges \\
  --uidmap 65532:0:1 --uidmap 0:100000:65532 --gidmap 65532:0:1 --gidmap 0:100000:65532 \\
  --volume /etc/ssl/certs:/etc/ssl/certs:ro --volume "\$PWD:\$PWD:ro" --volume "$PWD:$PWD:ro" --workdir "\$PWD" localhost/stoa/$image:try "\$@"
RUN
  chmod +x "$work/bin/$image"
done
cargo xtask test --programs "$work/bin" -- journey
