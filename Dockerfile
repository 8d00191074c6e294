# docker build -t loket .
# docker run -v ./config.yaml:/etc/loket/config.yaml:ro -v ./rules:/etc/loket/rules:ro -v loket:/var/lib/loket \
#   -e LOKET_SECRET … loket

FROM python:3.11-slim AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md config.yaml ./
COPY daemon ./daemon
COPY rules ./rules
# The build backend goes to this stage's own Python and stays behind; only the venv travels on.
RUN pip install --no-cache-dir -c constraints.txt hatchling \
 && pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
 && python -m venv /opt/loket \
 && /opt/loket/bin/pip install --no-cache-dir -c constraints.txt "$(echo /wheels/loket-*.whl)[postgres]"

FROM python:3.11-slim
# A fixed number, so that volumes keep their owner over rebuilds and Kubernetes can see that it is not root.
RUN useradd --uid 10001 --user-group --home-dir /var/lib/loket --create-home --shell /usr/sbin/nologin loket
# The shipped config.yaml keeps its state in var/ beside itself, which here leads to the volume. Who mounts all of
# /etc/loket instead of the two names in it hides this link and names /var/lib/loket in the store section.
RUN mkdir /etc/loket && ln -s /var/lib/loket /etc/loket/var
COPY --from=build /opt/loket /opt/loket
# Logs must not wait in a buffer when the container dies.
ENV PATH=/opt/loket/bin:$PATH \
    LOKET_CONFIG=/etc/loket/config.yaml \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/loket
VOLUME /var/lib/loket
# Loket finishes the mail in hand and lets go of its mailboxes; Docker waits ten seconds unless told otherwise.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=30s --retries=3 CMD ["loket", "status"]
ENTRYPOINT ["loket"]
CMD ["run"]
