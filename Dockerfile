# The server and its command-line tool on Debian 12.
#
#   docker build -t ferrite .
#   docker run --rm -p 127.0.0.1:6380:6380 -p 127.0.0.1:6381:6381 --memory 1g ferrite --insecure
#
# --insecure, as there is neither TLS nor a policy, and whoever reaches the ports may do everything; docs/security.md tells how to do
# without. The image does not say it by itself. Every setting is an environment variable, such as FERRITE_MAX_MEMORY=512MiB, or a
# flag after the image's name.

# Where the two programs come from: the stage below, or an image that has them in the same place (tests/docker brings one).
ARG PROGRAMS=build

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY dev.d/packages/ dev.d/packages/
RUN apt-get update \
 && sed -e 's/#.*//' dev.d/packages/build.txt | xargs apt-get install -y --no-install-recommends
COPY CMakeLists.txt CMakePresets.json ./
COPY base/ base/
COPY proto/ proto/
COPY store/ store/
COPY server/ server/
COPY client/ client/
RUN cmake --preset release -DFERRITE_TESTS=OFF -DFERRITE_BENCH=OFF \
 && cmake --build --preset release --target ferrite-server ferrite \
 && strip build/release/bin/ferrite-server build/release/bin/ferrite

FROM ${PROGRAMS} AS programs

FROM debian:bookworm-slim
# The libraries that the two programs are linked with, no more and no less: tests/docker compares.
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      libabsl20220623 libedit2 libfmt9 libgrpc++1.51 libgrpc29 libmicrohttpd12 libnghttp2-14 libprometheus-cpp-core1.0 libprotobuf32 \
      libspdlog1.10 libssl3 libtbb12 libyaml-0-2 zlib1g \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log
COPY --from=programs /src/build/release/bin/ferrite-server /src/build/release/bin/ferrite /usr/local/bin/
RUN ferrite-server --version && ferrite --version

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Ferrite" \
      org.opencontainers.image.description="A gRPC-native cache" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Inside a container only the container's own addresses lead out: all of them, whichever families the network has.
ENV FERRITE_LISTEN=*:6380 \
    FERRITE_HTTP_LISTEN=*:6381
# A number, as Kubernetes can tell only of a number that it is not root.
USER 65532:65532
EXPOSE 6380 6381
STOPSIGNAL SIGTERM
# Asks where the server listens, so set FERRITE_LISTEN rather than the flag.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD exec ferrite --server "$FERRITE_LISTEN" ping
ENTRYPOINT ["ferrite-server"]
