# docker build -t broadsheet .
# docker run -p 8080:8080 -v broadsheet:/data -e BROADSHEET_PUBLIC_URL=https://api.example.com broadsheet

# The image brings the C compiler, make and perl that the bundled SQLite, libpq and OpenSSL are built with.
FROM rust:1.95-bookworm AS build
WORKDIR /build

# The dependencies alone: this layer holds until the manifest or the lock file changes.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
 && echo '//! Stands in for the source.' | tee src/lib.rs >src/main.rs \
 && echo 'fn main() {}' >>src/main.rs \
 && cargo build --release --locked

COPY . .
# Cargo goes by modification times, and those of the checkout are older than the stand-in's.
RUN touch src/lib.rs src/main.rs \
 && cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin broadsheet \
 && install -d -o broadsheet -m 0750 /data
COPY --from=build /build/target/release/broadsheet /usr/local/bin/broadsheet

# The OpenSSL inside the binary does not know where Debian keeps its certificates (for sslrootcert=system).
ENV BROADSHEET_DATA_DIR=/data \
    BROADSHEET_BIND=0.0.0.0:8080 \
    SSL_CERT_DIR=/etc/ssl/certs
USER broadsheet
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["broadsheet", "health"]
ENTRYPOINT ["broadsheet"]
