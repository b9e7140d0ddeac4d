# audit-shipper's image. Needs on its base: glibc, libstdc++ and python3 (3.11 or newer), nothing else;
# for the build also python3's venv with pip. No step depends on the architecture: amd64 and arm64 alike.
#   docker build -t audit-shipper:0.1.0 .
#   docker buildx build --platform linux/amd64,linux/arm64 -t registry.example.com/audit-shipper:0.1.0 --push .

ARG BASE=python:3.13-slim-bookworm
ARG BUILD_BASE=${BASE}

FROM ${BUILD_BASE} AS build
# Where the locked packages are, if not where pip looks by itself: an index or a directory of yours.
ARG PIP_INDEX_URL
ARG PIP_FIND_LINKS
ARG PIP_NO_INDEX
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
# One environment to build with, another one, without pip, to ship. What is installed is compiled, so
# that the image's root can be read-only.
RUN python3 -m venv /build/tools \
 && python3 -m venv --without-pip /opt/audit-shipper \
 && /build/tools/bin/python -m pip install --require-hashes --only-binary :all: -r requirements-build.lock \
 && /build/tools/bin/python -m pip --python /opt/audit-shipper/bin/python install --require-hashes --only-binary :all: --compile -r requirements.lock
COPY pyproject.toml README.md ./
COPY shipper ./shipper
COPY deploy/image/sbom.py ./
RUN /build/tools/bin/python -m pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /build/wheels . \
 && /build/tools/bin/python -m pip --python /opt/audit-shipper/bin/python install --no-deps --no-index --compile /build/wheels/*.whl \
 && /opt/audit-shipper/bin/python sbom.py requirements.lock > /opt/audit-shipper/sbom.cdx.json

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="audit-shipper" \
      org.opencontainers.image.description="Seals Kubernetes audit logs and ships them to write-once storage" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /opt/audit-shipper /opt/audit-shipper
ENV PATH=/opt/audit-shipper/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/nonexistent
# The base has all that the program needs: its rules load and run. No shell is asked.
RUN ["/opt/audit-shipper/bin/audit-shipper", "rules", "test"]
# Nobody in particular: no entry in /etc/passwd is needed.
USER 65532:65532
EXPOSE 9465
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/audit-shipper/bin/audit-shipper"]
CMD ["run", "--config", "/etc/audit-shipper/config.yaml"]
