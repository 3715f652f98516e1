# One static program in an empty image: KRM function (a bare call with a ResourceList on standard input) and
# command line.
FROM rust:1-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin imageswap

FROM scratch
COPY --from=build /src/target/release/imageswap /imageswap
USER 65532:65532
ENTRYPOINT ["/imageswap"]
