# The thin face of everything: the work is done by `cargo xtask`.

# Outside the checkout, so that its tools never walk through build products.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/stoa/target

XTASK = cargo xtask
.DEFAULT_GOAL := help
.PHONY: help up down stoactl clean test chaos upgrade bench screenshots lint gen fmt contract-review contract-release chart terraform checkov audit drill images containers cargo

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 26

up: cargo ## start everything on this machine; DETACH=1 in the background, RELEASE=1 optimised
	@$(XTASK) up $(if $(DETACH),--detach) $(if $(RELEASE),--release)

down: cargo ## stop it from any terminal; the data stays
	@$(XTASK) down

stoactl: ## what operators do, once `make up` has built it; ARGS="sagas list"
	@$(CARGO_TARGET_DIR)/debug/stoactl $(ARGS)

clean: cargo ## stop it and remove data, logs and passwords
	@$(XTASK) clean

test: cargo ## all tests, on real stores; PACKAGE=orders runs one crate's
	@$(XTASK) test $(if $(PACKAGE),--package $(PACKAGE))

chaos: cargo ## faults under a load of checkouts; MINUTES=10 SEED=n BROKEN=skip-undo|skip-inbox
	@$(XTASK) chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(BROKEN),--broken $(BROKEN))

upgrade: cargo ## the release before and this one, each on the other's schema under load; BASE=<git ref> BROKEN=drop-column
	@$(XTASK) upgrade $(if $(BASE),--base $(BASE)) $(if $(BROKEN),--breaking $(BROKEN)) $(if $(PLAIN),--plain-stores)

bench: cargo ## what our mechanisms cost, measured in a release build; ONLY=hot-stock, facts, notify, login-storm or capacity
	@$(XTASK) bench $(if $(ONLY),--only $(ONLY))

screenshots: cargo ## take the pictures in the documentation anew
	@$(XTASK) screenshots

lint: cargo ## formatting, clippy, buf, the house rules
	@$(XTASK) lint

gen: cargo ## write every file that is generated from the contract, and the dashboards
	@$(XTASK) gen
	@$(XTASK) dashboards

contract-review: cargo ## what a change of the contract means; BASE=<git ref>
	@$(XTASK) contract-review $(if $(BASE),--base $(BASE))

contract-release: cargo ## make today's contract the released one; VERSION=0.2
	@$(XTASK) contract-release --version $(VERSION)

chart: cargo ## write the Helm chart of the overlays into .stoa/chart
	@$(XTASK) chart

terraform: ## formatting, validity and tests of what the cloud has to have
	@terraform/check.sh

checkov: cargo ## misconfigurations in what is rendered, built and planned
	@deploy/checkov.sh

audit: cargo ## licences, sources, bans and known holes of what we build in; AUDIT="bans licenses sources" without the network
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked --version '~0.18' cargo-deny
	@cargo deny check $(AUDIT)

drill: ## back up every database of stores, destroy them, restore and compare; docs/operations/backup.md
	@deploy/drill/restore.sh

images: ## build every image; VERSION=0.1.0 REGISTRY=registry.example.com BUILDER="docker build"
	@deploy/docker/build.sh

containers: cargo ## build the images without Docker or a registry, say how big they are, and shop in them; Debian, root
	@deploy/docker/try.sh

fmt: cargo ## format Rust and protobuf
	@$(XTASK) fmt

cargo:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs" >&2; exit 1; }
