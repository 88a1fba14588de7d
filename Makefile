# One command each; `make help` lists them. Tools are pinned here and live in .tmp/bin.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
BIN := $(CURDIR)/.tmp/bin
GO := go
export CGO_ENABLED ?= 1

BUF_VERSION := v1.75.0
PROTOC_GEN_GO_VERSION := v1.36.12
PROTOC_GEN_CONNECT_VERSION := v1.21.1
GOLANGCI_VERSION := v2.15.0

SHARED := ../shared
SEED ?= $(shell date +%s)

.PHONY: help run build web modules sdk generate test check lint fmt vet bench fuzz soak e2e score clean deps

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  %-10s %s\n", $$1, $$2}'

run: web/built ## build and start everything on embedded defaults with a demo feed
	@$(GO) build -o vedette ./host/cmd/vedette
	@./vedette serve --demo

build: web/built ## build ./vedette
	$(GO) build -o vedette ./host/cmd/vedette

# --- front end -------------------------------------------------------------------------------------------------------
web: ## build the console into console/web/dist
	cd console/web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

.PHONY: web/built
web/built:
	@if [ ! -f console/web/dist/index.html ] || [ -n "$$(find console/web/src console/web/index.html console/web/package-lock.json -newer console/web/dist/index.html -print -quit)" ]; then \
		$(MAKE) --no-print-directory web >.tmp-web.log 2>&1 || { cat .tmp-web.log; rm -f .tmp-web.log; exit 1; }; rm -f .tmp-web.log; fi

# --- modules ---------------------------------------------------------------------------------------------------------
$(BIN)/tinygo: conformance/tools/tinygo.sh
	bash conformance/tools/tinygo.sh

modules: $(BIN)/tinygo ## rebuild what the lock says has changed in modules/dist
	PATH="$(BIN):$$PATH" $(GO) run ./modules/build

sdk: ## compilers for modules in Rust and C, conformance/sdks/dist anew, and the modules of every SDK
	sh sdk/toolchains.sh
	$(GO) test ./conformance/sdks -count=1 -run 'TestDist|TestNamesOfSDKs' -update
	$(GO) test -count=1 -v ./conformance/sdks/...

# --- generated code --------------------------------------------------------------------------------------------------
$(BIN)/buf:
	GOBIN=$(BIN) GOFLAGS=-mod=mod $(GO) install github.com/bufbuild/buf/cmd/buf@$(BUF_VERSION)
$(BIN)/protoc-gen-go:
	GOBIN=$(BIN) GOFLAGS=-mod=mod $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO_VERSION)
$(BIN)/protoc-gen-connect-go:
	GOBIN=$(BIN) GOFLAGS=-mod=mod $(GO) install connectrpc.com/connect/cmd/protoc-gen-connect-go@$(PROTOC_GEN_CONNECT_VERSION)
$(BIN)/golangci-lint:
	GOBIN=$(BIN) GOFLAGS=-mod=mod $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

PROTOC_GEN_ES := console/web/node_modules/.bin/protoc-gen-es
$(PROTOC_GEN_ES): console/web/package-lock.json
	cd console/web && npm ci --no-audit --no-fund --loglevel=error
	@touch -c $@

generate: $(BIN)/buf $(BIN)/protoc-gen-go $(BIN)/protoc-gen-connect-go $(PROTOC_GEN_ES) ## write sdk/gen and console/web/src/gen from sdk/proto
	$(BIN)/buf format -w
	$(BIN)/buf generate
	cd console/web && npm run --silent generate

# --- tests -----------------------------------------------------------------------------------------------------------
deps: ## install what the tests need, and say what that is
	@bash conformance/tools/deps.sh

# What only computes and is not ours runs without the race detector, under which it takes five to ten times as long: the
# database that was translated from C, the compiler of Wasm, the hash of passwords, deflate. Whoever calls it is watched as
# before. conformance/repo/unwatched_test.go says what may stand here.
UNWATCHED := modernc.org/sqlite/lib golang.org/x/crypto/argon2 golang.org/x/crypto/blake2b compress/flate \
	$(addprefix github.com/tetratelabs/wazero/internal/engine/wazevo/,ssa frontend backend/...)
RACE := -race $(foreach p,$(UNWATCHED),-gcflags=$(p)=-race=false)

test: deps build ## everything, real components included
	$(GO) test $(RACE) -timeout 20m ./...
	cd sdk/go && $(GO) test -race -timeout 10m ./...
	cd console/web && npm run --silent test

lint: $(BIN)/golangci-lint $(BIN)/buf ## static checks
	$(BIN)/golangci-lint run ./...
	cd sdk/go && $(BIN)/golangci-lint run --config ../../.golangci.yml ./...
	$(BIN)/buf lint
	@if git rev-parse -q --verify HEAD^ >/dev/null && git cat-file -e HEAD^:buf.yaml 2>/dev/null; then \
		$(BIN)/buf breaking --against '.git#ref=HEAD^'; else echo "buf breaking: nothing earlier to compare with"; fi

fmt: $(BIN)/golangci-lint $(BIN)/buf ## format everything
	$(BIN)/golangci-lint fmt ./...
	cd sdk/go && $(BIN)/golangci-lint fmt --config ../../.golangci.yml ./...
	$(BIN)/buf format -w

# The packages that have benchmarks; lint and test have looked at all of them.
BENCHMARKED = $$(grep -rl --include='*_test.go' '^func Benchmark' host storage modules sdk | grep -v '^sdk/go/' | xargs -n1 dirname | sort -u | sed 's|^|./|')

check: fmt generate lint test ## what CI runs: formatting, generated code, lint, tests, each benchmark once, and a clean tree
	@out=$$($(GO) test -vet=off -run "^$$" -bench . -benchtime 1x $(BENCHMARKED) 2>&1) || { echo "$$out"; exit 1; }
	$(GO) run ./modules/build -check
	@git status --porcelain; if [ -n "$$(git status --porcelain)" ]; then git diff --stat; echo "the tree is not clean: commit what fmt and generate changed"; exit 1; fi

e2e: deps build ## the real binary, real sockets, a real browser
	$(GO) test -count=1 -timeout 20m -v ./conformance/e2e

soak: deps build $(BIN)/tinygo ## 100 kill -9 under load, 600 swaps of 2,000 modules under load, the crash simulator at length, a million random rules beside the reference, every module rebuilt; SEED=n repeats a run
	VEDETTE_KILLS=100 VEDETTE_SEED=$(SEED) $(GO) test -count=1 -timeout 120m -v -run TestKill ./conformance/e2e
	VEDETTE_SOAK_ORGANIZATIONS=100 VEDETTE_SOAK_MODULES=20 VEDETTE_SOAK_SECONDS=600 VEDETTE_SOAK_SWAP_MS=1000 VEDETTE_SEED=$(SEED) $(GO) test -count=1 -timeout 60m -v -run TestSoak ./conformance/e2e
	VEDETTE_SOAK=1 $(GO) test -count=1 -timeout 120m -v -run TestCrashesChangeNothing ./host/pipeline
	VEDETTE_PAIRS=1000000 VEDETTE_SEED=$(SEED) $(GO) test -count=1 -timeout 120m -v -run AgainstTheEngine ./conformance/reference
	PATH="$(BIN):$$PATH" $(GO) run ./modules/build -verify

FUZZTIME ?= 60s
fuzz: ## every fuzz target for FUZZTIME
	@bash conformance/tools/fuzz.sh $(FUZZTIME)

bench: build ## what everything costs, with the machine's load
	@echo "load: $$(cut -d' ' -f1-3 /proc/loadavg), cores: $$(nproc)"
	$(GO) test -run '^$$' -bench . -benchmem ./host/... ./storage/... ./modules/... ./sdk/...
	cd sdk/go && $(GO) test -run '^$$' -bench . -benchmem ./...
	VEDETTE_BENCH=1 $(GO) test -count=1 -timeout 30m -v -run TestBench ./conformance/bench
	cd conformance/peer && VEDETTE_BENCH=1 $(GO) test -count=1 -timeout 30m -v -run TestBench .

score: build ## precision and recall of the parsers and of Sigma rules on the corpora in ../shared, when they are there
	@if [ ! -d $(SHARED) ]; then echo "no $(SHARED): nothing to score"; exit 0; fi; \
	for p in fortinet_fortigate system windows nginx; do \
		python3 $(SHARED)/score/parse.py --bin ./vedette --only $$p --min-recognised 95 --min-f1 0.85 $(SHARED)/data/elastic_integrations.jsonl.gz || exit 1; done; \
	rm -rf .tmp/sigma && mkdir -p .tmp/sigma && tar -C .tmp/sigma -xzf $(SHARED)/data/sigmahq-rules.tar.gz && \
	for m in sigma evtx; do \
		python3 $(SHARED)/score/match.py --bin ./vedette --rules .tmp/sigma --min 0.99 $(SHARED)/data/$${m}_matrix_pysigma_sqlite.jsonl.gz || exit 1; done

clean: ## remove what was built
	rm -rf vedette .tmp console/web/node_modules
