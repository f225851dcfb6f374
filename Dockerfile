# syntax=docker/dockerfile:1
# The program, with Git and SSH for the repositories that it reads: docker build -t stationbill .
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY benches benches
COPY tests tests
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --bin stationbill && cp target/dist/stationbill /stationbill

FROM debian:bookworm-slim
# ssh-keygen, which verifies signatures, comes with the client; SSH wants its user to have a name.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 65532 nonroot \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nonroot
COPY --from=build /stationbill /stationbill
USER 65532:65532
ENTRYPOINT ["/stationbill"]
