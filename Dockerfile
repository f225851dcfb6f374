# syntax=docker/dockerfile:1
# The program alone, on an image without a shell: docker build -t stationbill .
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY benches benches
COPY tests tests
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --bin stationbill && cp target/dist/stationbill /stationbill

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /stationbill /stationbill
USER 65532:65532
ENTRYPOINT ["/stationbill"]
