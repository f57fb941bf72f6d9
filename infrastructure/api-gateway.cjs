// API Gateway's own responses, before or after any function, in the form of all other problems
// (RFC 9457); and the settings of its stage.

const loadTypeScript = require('./load-typescript.cjs');

const { GATEWAY_RESPONSES, gatewayProblem, isTemporaryResponse } = loadTypeScript(
  'lib/platform/http/gateway-responses.ts',
);
const { EXPOSED_HEADERS } = loadTypeScript('lib/platform/http/cors.ts');

/**
 * Lets every page read these answers if pages may call at all. API Gateway cannot choose among origins,
 * and it answers nothing here that belongs to a user.
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

/** `THROTTLED` is `GatewayThrottled`. */
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

/** The CLI makes the stage by a deployment, whose name is new each time; it has no resource of its own. */
exports.deployment = async ({ resolveVariable }) => ({
  [`ApiGatewayDeployment${await resolveVariable('sls:instanceId')}`]: {
    // They are part of what is deployed.
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
