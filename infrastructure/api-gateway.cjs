// API Gateway's own responses, before or after any function, in the same form as all other problems (RFC 9457).
// Also the settings of the API's stage.

const loadTypeScript = require('./load-typescript.cjs');

const { GATEWAY_RESPONSES, gatewayProblem, isTemporaryResponse } = loadTypeScript(
  'lib/platform/http/gateway-responses.ts',
);
const { EXPOSED_HEADERS } = loadTypeScript('lib/platform/http/answer-headers.ts');

/**
 * Lets pages of any origin read these answers if the API allows calls from pages at all. API Gateway cannot
 * choose among origins, and its own answers hold no user's data.
 */
const FOR_PAGES = {
  'gatewayresponse.header.Access-Control-Allow-Origin': "'*'",
  'gatewayresponse.header.Access-Control-Expose-Headers': `'${EXPOSED_HEADERS.join(', ')}'`,
};

function resource(type, response, isForPages) {
  const { status } = response;
  return {
    Type: 'AWS::ApiGateway::GatewayResponse',
    Properties: {
      RestApiId: { Ref: 'ApiGatewayRestApi' },
      ResponseType: type,
      ...(status === undefined ? {} : { StatusCode: String(status) }),
      ResponseParameters: {
        'gatewayresponse.header.Content-Type': "'application/problem+json'",
        'gatewayresponse.header.X-Correlation-Id': 'context.requestId',
        'gatewayresponse.header.X-Content-Type-Options': "'nosniff'",
        'gatewayresponse.header.Cache-Control': "'no-store'",
        ...(isTemporaryResponse(response) ? { 'gatewayresponse.header.Retry-After': "'1'" } : {}),
        ...(isForPages ? FOR_PAGES : {}),
      },
      ResponseTemplates: {
        'application/json': JSON.stringify({
          ...gatewayProblem(response),
          instance: '$context.path',
        }),
      },
    },
  };
}

/** Converts a response type: `THROTTLED` becomes `GatewayThrottled`. */
function logicalId(type) {
  const words = type.toLowerCase().split('_');
  return `Gateway${words.map((word) => word[0].toUpperCase() + word.slice(1)).join('')}`;
}

exports.resources = async ({ resolveVariable }) => {
  const isForPages = (await resolveVariable("param:ALLOWED_ORIGINS, ''")) !== '';
  return Object.fromEntries(
    Object.entries(GATEWAY_RESPONSES).map(([type, response]) => [
      logicalId(type),
      resource(type, response, isForPages),
    ]),
  );
};

/**
 * The CLI creates the API's stage by a deployment, whose name is new each time. The stage is no resource of its
 * own.
 */
exports.deployment = async ({ resolveVariable }) => ({
  [`ApiGatewayDeployment${await resolveVariable('sls:instanceId')}`]: {
    // The deployment includes the responses.
    DependsOn: Object.keys(GATEWAY_RESPONSES).map(logicalId),
    Properties: {
      StageDescription: {
        TracingEnabled: true,
        ThrottlingRateLimit: '${param:API_RATE_LIMIT}',
        ThrottlingBurstLimit: '${param:API_BURST_LIMIT}',
      },
    },
  },
});
