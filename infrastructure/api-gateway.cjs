// What API Gateway answers by itself, before or after any function, in the form of all other problems
// (RFC 9457); and the settings of its stage.

const loadTypeScript = require('./load-typescript.cjs');

const { MAX_BODY_BYTES } = loadTypeScript('lib/limits.ts');

const AGAIN = 'Send the same request with the same Idempotency-Key again; nothing is done twice.';
const CORRECT = 'Correct the request; see /docs.';

/** By API Gateway's own name: status, code, title, and what to do next. */
const RESPONSES = {
  DEFAULT_4XX: [undefined, 'BAD_REQUEST', 'The request was refused', CORRECT],
  DEFAULT_5XX: [undefined, 'INTERNAL_ERROR', 'Something went wrong', AGAIN],
  ACCESS_DENIED: [
    403,
    'FORBIDDEN',
    'Not allowed from here',
    'Ask whoever runs this API for access.',
  ],
  MISSING_AUTHENTICATION_TOKEN: [404, 'NOT_FOUND', 'There is nothing here', CORRECT],
  RESOURCE_NOT_FOUND: [404, 'NOT_FOUND', 'There is nothing here', CORRECT],
  REQUEST_TOO_LARGE: [
    413,
    'BODY_TOO_LARGE',
    'The body is too large',
    `Send at most ${MAX_BODY_BYTES} bytes.`,
  ],
  UNSUPPORTED_MEDIA_TYPE: [415, 'BAD_REQUEST', 'The body must be JSON', CORRECT],
  THROTTLED: [429, 'TOO_MANY_REQUESTS', 'Too many requests at once', `Wait a moment. ${AGAIN}`],
  INTEGRATION_FAILURE: [504, 'TEMPORARILY_UNAVAILABLE', 'Temporarily unavailable', AGAIN],
  INTEGRATION_TIMEOUT: [504, 'TEMPORARILY_UNAVAILABLE', 'It took too long', AGAIN],
};

function response([type, [status, code, title, detail]]) {
  const problem = {
    type: `urn:ordersaga:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    // Of the two defaults only API Gateway knows it; RFC 9457 lets it be left out.
    ...(status === undefined ? {} : { status }),
    detail,
    instance: '$context.path',
    code,
  };
  const isTemporary = status === 429 || status === 504;
  return {
    Type: 'AWS::ApiGateway::GatewayResponse',
    Properties: {
      RestApiId: { Ref: 'ApiGatewayRestApi' },
      ResponseType: type,
      ...(status === undefined ? {} : { StatusCode: String(status) }),
      ResponseParameters: {
        'gatewayresponse.header.Content-Type': "'application/problem+json'",
        'gatewayresponse.header.X-Correlation-Id': 'context.requestId',
        ...(isTemporary ? { 'gatewayresponse.header.Retry-After': "'1'" } : {}),
      },
      ResponseTemplates: { 'application/json': JSON.stringify(problem) },
    },
  };
}

/** `THROTTLED` is `GatewayThrottled`. */
function logicalId(type) {
  const words = type.toLowerCase().split('_');
  return `Gateway${words.map((word) => word[0].toUpperCase() + word.slice(1)).join('')}`;
}

const resources = Object.fromEntries(
  Object.entries(RESPONSES).map((entry) => [logicalId(entry[0]), response(entry)]),
);

exports.resources = resources;

/** The CLI makes the stage by a deployment, whose name is new each time; it has no resource of its own. */
exports.deployment = async ({ resolveVariable }) => ({
  [`ApiGatewayDeployment${await resolveVariable('sls:instanceId')}`]: {
    // They are part of what is deployed.
    DependsOn: Object.keys(resources),
    Properties: {
      StageDescription: {
        TracingEnabled: true,
        ThrottlingRateLimit: '${param:API_RATE_LIMIT}',
        ThrottlingBurstLimit: '${param:API_BURST_LIMIT}',
      },
    },
  },
});
