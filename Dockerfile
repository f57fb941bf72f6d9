# The embedded stack in one image: API, companion, and the Java that DynamoDB Local needs.
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
# Packages that only checks, tests and benches use. Node itself is in the image.
RUN npm uninstall --ignore-scripts \
  @biomejs/biome \
  @jridgewell/sourcemap-codec \
  @seriousme/openapi-schema-validator \
  @types/aws-lambda \
  @types/node \
  ajv \
  ajv-formats \
  asl-validator \
  dependency-cruiser \
  dockerfile-ast \
  dockerfile-utils \
  eslint \
  fast-check \
  jszip \
  knip \
  node \
  typescript \
  typescript-eslint \
  vitest

FROM node:24.21.0-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends openjdk-17-jre-headless \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json serverless.yml ./
COPY infrastructure infrastructure
COPY statemachines statemachines
COPY api-document api-document
COPY functions functions
COPY lib lib
COPY tools tools
COPY local local
# Data (--data) and log.
RUN mkdir .local && chown node .local
USER node
# The container listens on every address. Compose publishes the ports on this machine only.
ENV LISTEN_ADDRESS=0.0.0.0
EXPOSE 3000 3100
HEALTHCHECK --interval=5s --timeout=5s --retries=12 --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/health').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "local/start.ts"]
