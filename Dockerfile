# Two images: `operator` (no Spark) and `runtime` (a job's driver and its executors).
#   docker build --target operator -t streamjob/operator .
# Layers from the bottom: Debian packages, locked Python dependencies, and last and tiny, our own code.
ARG BASE_IMAGE=debian:bookworm-slim

# ---- Debian packages -------------------------------------------------------------------------------------------------
FROM ${BASE_IMAGE} AS python
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

# tests/images/kafka/Dockerfile begins with the same instructions, so that one layer serves both
FROM ${BASE_IMAGE} AS java
ENV DEBIAN_FRONTEND=noninteractive
RUN mkdir -p /usr/share/man/man1 \
 && apt-get update \
 && apt-get install -y --no-install-recommends openjdk-17-jre-headless tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

FROM java AS java-python
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

# ---- Locked Python dependencies --------------------------------------------------------------------------------------
FROM python AS uv
ARG UV_VERSION=0.13.9
# where another package index is to be used
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
# SSL_CERT_FILE: certificates that the base image trusts, not those that uv brings
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    UV_CACHE_DIR=/var/cache/uv \
    UV_HTTP_TIMEOUT=180 \
    UV_LINK_MODE=copy \
    UV_PYTHON=/usr/bin/python3 \
    UV_PYTHON_DOWNLOADS=never
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-venv zip \
 && python3 -m venv /opt/uv \
 && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}"

# pyproject.toml changes more often than what is locked: only these three lists decide about the layers below
FROM uv AS locked
WORKDIR /locked
COPY pyproject.toml uv.lock ./
RUN export="/opt/uv/bin/uv export --quiet --frozen --no-emit-project --no-header --no-annotate" \
 && $export --no-dev --extra operator --output-file operator.txt \
 && $export --no-dev --extra runtime --output-file runtime.txt \
 && $export --only-group native --output-file native.txt

FROM uv AS operator-dependencies
COPY --from=locked /locked/operator.txt /locked/
COPY job_images/layers/install_locked /usr/local/bin/
RUN install_locked /locked/operator.txt

FROM uv AS runtime-dependencies
COPY --from=locked /locked/runtime.txt /locked/
COPY job_images/layers/install_locked job_images/layers/trim_runtime job_images/layers/unused_jars.txt /usr/local/bin/
RUN install_locked /locked/runtime.txt && trim_runtime /usr/local/bin/unused_jars.txt

# ---- The runtime's classes of Java -------------------------------------------------------------------------------------
# Spark brings their compiler
FROM java-python AS java-classes
COPY --from=runtime-dependencies /opt/streamjob/venv /opt/streamjob/venv
COPY job_images/java /java
# where it is shipped: an archive of classes fits the paths of its jars
RUN /opt/streamjob/venv/bin/python -B /java/build.py /opt/streamjob/code/streamjob_runtime/streamjob.jar

# ---- An archive of the classes of a driver's JVM ------------------------------------------------------------------------
# It fits the very jars and the very Java that are shipped
FROM java-classes AS class-archive
COPY job_images/layers/archive_classes.py /archive/
COPY job_images/streamjob_runtime/jvm.py /opt/streamjob/code/streamjob_runtime/
RUN /opt/streamjob/venv/bin/python -B /archive/archive_classes.py /archive/classes.jsa

# ---- The runtime's library of C --------------------------------------------------------------------------------------
# Its compiler stays in this stage
FROM uv AS native
COPY --from=locked /locked/native.txt /locked/
RUN /opt/uv/bin/uv venv --quiet /opt/native \
 && /opt/uv/bin/uv pip install --python /opt/native/bin/python --no-deps --require-hashes \
      --requirement /locked/native.txt
COPY job_images/native /native
RUN /opt/native/bin/python /native/build.py /native/libstreamjob.so

# ---- Our own code ----------------------------------------------------------------------------------------------------
# Bytecode is compiled here, since nothing may be written where it runs; by the hash of the source, so that no
# time stamp changes a layer
FROM python AS operator-code
COPY operator/streamjob_api /opt/streamjob/code/streamjob_api
COPY operator/streamjob_operator /opt/streamjob/code/streamjob_operator
COPY job_images/streamjob_calculators /opt/streamjob/code/streamjob_calculators
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/streamjob/code

FROM python AS runtime-code
COPY operator/streamjob_api /opt/streamjob/code/streamjob_api
COPY job_images/streamjob_calculators /opt/streamjob/code/streamjob_calculators
COPY job_images/streamjob_runtime /opt/streamjob/code/streamjob_runtime
COPY --from=native /native/libstreamjob.so /opt/streamjob/code/streamjob_runtime/
COPY --from=java-classes /opt/streamjob/code/streamjob_runtime/streamjob.jar /opt/streamjob/code/streamjob_runtime/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/streamjob/code

# ---- What is shipped -------------------------------------------------------------------------------------------------
FROM python AS operator
LABEL org.opencontainers.image.title="streamjob operator" \
      org.opencontainers.image.description="Runs an IoT platform's stream jobs on Spark" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN echo 'streamjob:x:65532:65532::/tmp:/usr/sbin/nologin' >> /etc/passwd && echo 'streamjob:x:65532:' >> /etc/group
COPY --from=operator-dependencies /opt/streamjob/venv /opt/streamjob/venv
ENV PATH=/opt/streamjob/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["python", "-m", "streamjob_operator"]
COPY --from=operator-code /opt/streamjob/code /opt/streamjob/code

FROM java-python AS runtime
LABEL org.opencontainers.image.title="streamjob runtime" \
      org.opencontainers.image.description="The driver of a stream job: Spark, its templates, sources and sinks" \
      org.opencontainers.image.licenses="Apache-2.0"
# 185: the user id of Spark's own images
RUN echo 'spark:x:185:185::/tmp:/usr/sbin/nologin' >> /etc/passwd && echo 'spark:x:185:' >> /etc/group
COPY --from=runtime-dependencies /opt/streamjob/venv /opt/streamjob/venv
COPY --from=class-archive /archive/classes.jsa /opt/streamjob/
# PYSPARK_PYTHON: without it, Python workers run the system's interpreter, which has none of the dependencies
ENV PATH=/opt/streamjob/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYSPARK_PYTHON=/opt/streamjob/venv/bin/python \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 185:185
WORKDIR /tmp
ENTRYPOINT ["/usr/bin/tini", "--", "python", "-m", "streamjob_runtime"]
COPY --from=runtime-code /opt/streamjob/code /opt/streamjob/code
