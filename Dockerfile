# The mirror as a container. docs/container.md tells how to run it; `docker build -t kmbridge .` makes it.
# The interpreter is the one that the tests run on. A digest pins it: --build-arg BASE=python@sha256:…
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
# run: the product alone. otel: with what sends traces. schemas: with what asks schema registries. demo: with the Kinesis server that `kmbridge demo` needs.
ARG REQUIREMENTS=run
WORKDIR /build
COPY requirements/setup.txt requirements/
RUN pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/setup.txt
COPY requirements requirements
RUN python -m venv --without-pip /opt/kmbridge \
    && uv pip install --quiet --no-cache --python /opt/kmbridge --require-hashes --no-build \
        -r "requirements/${REQUIREMENTS}.txt"
COPY deploy/image/slim.py deploy/image/
RUN python deploy/image/slim.py /opt/kmbridge
COPY pyproject.toml README.md LICENSE ./
COPY bridge bridge
COPY connectors connectors
COPY checkpoints checkpoints
RUN uv build --quiet --no-cache --python /usr/local/bin/python --no-build-isolation --wheel --out-dir dist \
    && uv pip install --quiet --no-cache --python /opt/kmbridge --no-deps dist/*.whl \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/kmbridge

# A base without what only building and interactive use need; copied as a whole below, so that no layer holds it.
FROM ${BASE} AS system
COPY deploy/image/bare.py /build/
RUN python /build/bare.py && rm -r /build
COPY --from=build /opt/kmbridge /opt/kmbridge
# Where nothing can be written, what is not compiled now is compiled at each start.
RUN /opt/kmbridge/bin/python -c "import bridge.cli.mirroring, bridge.cli.healthcheck" \
    && /opt/kmbridge/bin/kmbridge --version \
    && mkdir -p -m 0750 /var/lib/kmbridge \
    && chown 10001:10001 /var/lib/kmbridge

FROM scratch
COPY --from=system / /
ENV PATH=/opt/kmbridge/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    HOME=/var/lib/kmbridge \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2
# Checkpoint files and whatever else is named without a folder; all other places may be read-only.
WORKDIR /var/lib/kmbridge
VOLUME /var/lib/kmbridge
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-P", "-m", "bridge.cli.healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["kmbridge"]
CMD ["--help"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kmbridge" \
    org.opencontainers.image.description="Mirrors records between Amazon Kinesis and Kafka, every key in order, nothing lost." \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
