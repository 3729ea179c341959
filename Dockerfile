# The hub as a container: it runs against a PostgreSQL of yours (docker-compose.yml), as a user without rights.
FROM python:3.11-slim

RUN useradd --system --uid 10001 --create-home onegrid \
    && install -d -o onegrid -g onegrid -m 0700 /var/lib/onegrid
WORKDIR /opt/onegrid

COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m pip install --no-cache-dir --no-deps -r requirements.lock

COPY onegrid onegrid
COPY schemas schemas
COPY connectors connectors
COPY quality quality
COPY matching matching
COPY registry registry
COPY api api
COPY dags dags
COPY town town
COPY bench bench
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation .

USER onegrid
ENV ONEGRID_HOME=/var/lib/onegrid
VOLUME /var/lib/onegrid
ENTRYPOINT ["onegrid"]
CMD ["run", "--sources", "/sources"]
