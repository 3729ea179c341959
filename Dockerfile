# Two images: the store for landed loads, and the hub, which is what `docker build .` makes. Both run as users without rights.
FROM chrislusf/seaweedfs:4.47 AS object-store
RUN adduser -D -u 10002 store && install -d -o store -m 0700 /store
USER store
WORKDIR /store
ENTRYPOINT ["weed", "-logtostderr=true"]
CMD ["server", "-dir=/store", "-ip=object-store", "-ip.bind=0.0.0.0", "-volume.max=0", "-master.volumeSizeLimitMB=1024", "-s3", "-s3.config=/run/secrets/s3_config"]

FROM python:3.11-slim AS onegrid
RUN useradd --system --uid 10001 --create-home onegrid \
    && install -d -o onegrid -g onegrid -m 0700 /var/lib/onegrid /var/lib/onegrid/airflow /var/lib/onegrid/keys
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
COPY deploy deploy
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation .

USER onegrid
ENV ONEGRID_HOME=/var/lib/onegrid
ENTRYPOINT ["onegrid"]
CMD ["run", "--sources", "/sources"]
