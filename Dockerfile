# The service for people who deploy it: API, worker and migrations from one image, against servers of their own.
# Debian, not Alpine: the wheels of the embedded servers need glibc.
#
#   docker build -t tranship .
#   docker run --init -p 8000:8000 -e TRANSHIP_DATABASE_URL=... -e TRANSHIP_REDIS_URL=... -e TRANSHIP_MASTER_KEYS=... tranship
#
# `--init` (compose: `init: true`) puts a small init before Python, which reaps processes whose parents are gone.

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements-runtime.lock ./
RUN python -m venv /opt/tranship \
    && /opt/tranship/bin/python -m pip install --require-hashes --only-binary :all: -r requirements-runtime.lock \
    && /opt/tranship/bin/python -m pip uninstall --yes pip \
    && printf '#!/opt/tranship/bin/python\nfrom app.cli import main\n\nmain()\n' > /opt/tranship/bin/tranship \
    && chmod 755 /opt/tranship/bin/tranship

FROM python:3.13-slim-trixie
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
ENTRYPOINT ["tranship"]
CMD ["api", "--host", "0.0.0.0", "--port", "8000"]
