# `just` lists the recipes. Each calls cargo or one script, so that none of them needs just.

_default:
    @just --list

# The binary, optimised: target/release/imageswap
build:
    cargo build --release --locked

# All tests
test *ARGS:
    cargo test --locked {{ARGS}}

# Format, clippy, shell scripts and, where cargo-deny is installed, licences
lint:
    .ci/run lint

# The golden cases of tests/cmd; `just golden overwrite` writes what the program now says
golden MODE="":
    TRYCMD={{MODE}} cargo test --locked --test golden

# The end-to-end tests with real kpt, kustomize, kubectl, Helm and Kubernetes; builds those that are missing (Go)
e2e *ARGS:
    tests/e2e/install-tools.sh
    IMAGESWAP_E2E=1 cargo test --locked --test e2e --test cluster {{ARGS}}

# Speed, as ratios of runs side by side
bench *ARGS:
    benches/run.sh {{ARGS}}

# Compare with the oracle's list of a folder of real manifests, and count what is found there and what is left
corpus DIR:
    IMAGESWAP_CORPUS={{DIR}} cargo test --release --locked --test corpus -- --nocapture

# Render the Helm charts of a folder before and after `rewrite --helm-values`, with the real Helm
charts DIR:
    IMAGESWAP_CHARTS={{DIR}} cargo test --locked --test helm_values -- --nocapture

# Run a fuzz target for SECONDS (needs nightly Rust and cargo-fuzz; `just fuzz` alone lists them)
fuzz TARGET="" SECONDS="60":
    cd fuzz && if [ -z "{{TARGET}}" ]; then cargo +nightly fuzz list; \
        else mkdir -p corpus/{{TARGET}} && cargo +nightly fuzz run {{TARGET}} corpus/{{TARGET}} seeds -- \
        -dict=yaml.dict -max_total_time={{SECONDS}}; fi

# The program as the container image holds it: static, and at home in an empty root folder
image:
    tests/static.sh

# The release that the workflow would make of a static program, as far as no outside service is needed
release PROGRAM:
    release/test.sh {{PROGRAM}}

# The library's documentation
docs:
    cargo doc --locked --no-deps

# Everything that CI runs
ci:
    .ci/run
