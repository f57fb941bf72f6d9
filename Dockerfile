# The embedded stack in one image: API, companion, and the Java that DynamoDB Local needs.
FROM node:24-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends openjdk-17-jre-headless \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN mkdir -p .local && chown node .local
USER node
# Inside the container every address; outside, compose binds the ports to this machine only.
ENV LISTEN_ADDRESS=0.0.0.0
EXPOSE 3000 3100
CMD ["node", "local/start.ts"]
