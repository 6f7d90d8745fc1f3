# The service for people who deploy it: API, worker and migrations from one image, against servers of their own.
# Debian, not Alpine: the wheels of the embedded servers need glibc.
#
#   docker build -t tranship .
#   docker run --init -p 8000:8000 -e TRANSHIP_DATABASE_URL=... -e TRANSHIP_REDIS_URL=... -e TRANSHIP_MASTER_KEYS=... tranship
#
# `--init` (compose: `init: true`) puts a small init before Python, which reaps processes whose parents are gone.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements-runtime.lock ./
RUN python -m venv /opt/tranship \
    && /opt/tranship/bin/python -m pip install --require-hashes -r requirements-runtime.lock \
    && /opt/tranship/bin/python -m pip uninstall --yes pip

FROM python:3.13-slim-bookworm
RUN groupadd --system --gid 10001 tranship \
    && useradd --system --uid 10001 --gid tranship --home-dir /var/lib/tranship --create-home --shell /usr/sbin/nologin tranship
COPY --from=build /opt/tranship /opt/tranship
WORKDIR /srv/tranship
COPY alembic.ini ./
COPY alembic ./alembic
COPY app ./app
COPY connectors ./connectors
COPY workers ./workers
RUN python -m compileall -q app connectors workers
ENV PATH=/opt/tranship/bin:$PATH \
    PYTHONPATH=/srv/tranship \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TRANSHIP_ENVIRONMENT=production \
    TRANSHIP_DATA_DIR=/var/lib/tranship
USER tranship
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import sys, urllib.request as u; sys.exit(u.urlopen('http://127.0.0.1:8000/livez', timeout=2).status != 200)"]
ENTRYPOINT ["python", "-m", "app.cli"]
CMD ["api", "--host", "0.0.0.0", "--port", "8000"]
