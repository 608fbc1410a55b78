# The server in an image: docs/operations.md says how it is built and run. Nothing but /data and /tmp is written to.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/clawback
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements-run.lock requirements.lock ./
# Every file that is installed has its hash in a lock; hatchling, which builds Clawback itself, is of the other lock.
RUN /opt/clawback/bin/pip install --only-binary :all: --require-hashes -r requirements-run.lock \
    && python -m venv /opt/building \
    && /opt/building/bin/pip install --only-binary :all: --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE metrics.yaml ./
COPY semantic semantic
COPY finance finance
COPY store store
COPY loaders loaders
COPY server server
COPY examples/queries examples/queries
RUN /opt/building/bin/python -m hatchling build --target wheel --directory /build/dist \
    && /opt/clawback/bin/pip install --no-deps --no-index /build/dist/*.whl

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin clawback \
    && install --directory --owner 10001 --group 10001 --mode 0750 /data
COPY --from=build /opt/clawback /opt/clawback
ENV PATH=/opt/clawback/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    CLAWBACK_STORE=/data/clawback.duckdb \
    CLAWBACK_PORT=8321 \
    CLAWBACK_LOG=json
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8321 4318
# The limit of CLAWBACK_SHUTDOWN_S (25) and its grace fit into a stop time of 40 seconds: docker stop --time 40.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['CLAWBACK_PORT'] + '/health/ready', timeout=4)"]
ENTRYPOINT ["clawback"]
CMD ["serve"]
