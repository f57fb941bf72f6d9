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

const ACCESS_LOG = '/aws/api-gateway/${self:service}-${sls:stage}';

/** One line of the access log. It has no header: tokens are in headers, and their text could forge a line. */
const ACCESS_LINE = JSON.stringify({
  requestId: '$context.requestId',
  extendedRequestId: '$context.extendedRequestId',
  traceId: '$context.xrayTraceId',
  sourceIp: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  path: '$context.path',
  route: '$context.resourcePath',
  status: '$context.status',
  error: '$context.error.responseType',
  functionRequestId: '$context.integration.requestId',
  latencyMs: '$context.responseLatency',
});

/**
 * The access log, and the metric that is counted from it. API Gateway writes logs as a role of the whole account and
 * region, which all stages share: it stays when a stage goes.
 */
const ACCESS_LOG_RESOURCES = {
  ApiAccessLog: {
    Type: 'AWS::Logs::LogGroup',
    Properties: { LogGroupName: ACCESS_LOG, RetentionInDays: '${param:LOG_RETENTION_DAYS}' },
  },
  ApiLogRole: {
    Type: 'AWS::IAM::Role',
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      Description: "Lets API Gateway write the logs of this account's APIs",
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'apigateway.amazonaws.com' },
            Action: 'sts:AssumeRole',
          },
        ],
      },
      ManagedPolicyArns: [
        {
          'Fn::Sub':
            'arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs',
        },
      ],
    },
  },
  ApiLogAccount: {
    Type: 'AWS::ApiGateway::Account',
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: { CloudWatchRoleArn: { 'Fn::GetAtt': ['ApiLogRole', 'Arn'] } },
  },
  ApiThrottledMetric: {
    Type: 'AWS::Logs::MetricFilter',
    Properties: {
      LogGroupName: { Ref: 'ApiAccessLog' },
      FilterPattern: '{ $.error = "THROTTLED" }',
      MetricTransformations: [
        {
          MetricNamespace: 'ordersaga/${sls:stage}',
          MetricName: 'ApiThrottled',
          MetricValue: '1',
          Unit: 'Count',
        },
      ],
    },
  },
};

const hasAccessLog = async (resolveVariable) =>
  String(await resolveVariable('param:API_ACCESS_LOG')) === 'true';

exports.resources = async ({ resolveVariable }) => {
  const isForPages = (await resolveVariable("param:ALLOWED_ORIGINS, ''")) !== '';
  const rate = Number(await resolveVariable('param:WAF_RATE_PER_IP'));
  return {
    ...Object.fromEntries(
      Object.entries(GATEWAY_RESPONSES).map(([type, response]) => [
        logicalId(type),
        resource(type, response, isForPages),
      ]),
    ),
    ...((await hasAccessLog(resolveVariable)) ? ACCESS_LOG_RESOURCES : {}),
    ...(rate > 0 ? webAcl(rate, await deploymentId(resolveVariable)) : {}),
  };
};

/** Destination and form of the access log, and the resources that it needs first. */
const LOGGING = {
  DependsOn: ['ApiAccessLog', 'ApiLogAccount'],
  StageDescription: {
    AccessLogSetting: {
      // Without the `:*` at the end of the log group's own attribute, which API Gateway refuses.
      DestinationArn: {
        'Fn::Sub': `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:${ACCESS_LOG}`,
      },
      Format: ACCESS_LINE,
    },
  },
};

/**
 * A web ACL that bounds the requests of one address, and its link to the API's stage. API Gateway's own throttling
 * does not tell callers apart.
 */
function webAcl(rate, deploymentId) {
  const visible = (name) => ({
    CloudWatchMetricsEnabled: true,
    SampledRequestsEnabled: true,
    MetricName: `\${self:service}-\${sls:stage}-${name}`,
  });
  return {
    WebAcl: {
      Type: 'AWS::WAFv2::WebACL',
      Properties: {
        Name: '${self:service}-${sls:stage}',
        Scope: 'REGIONAL',
        DefaultAction: { Allow: {} },
        VisibilityConfig: visible('all'),
        Rules: [
          {
            Name: 'rate-per-ip',
            Priority: 0,
            Action: { Block: {} },
            Statement: { RateBasedStatement: { AggregateKeyType: 'IP', Limit: rate } },
            VisibilityConfig: visible('rate-per-ip'),
          },
        ],
      },
    },
    WebAclOfApi: {
      Type: 'AWS::WAFv2::WebACLAssociation',
      // The deployment makes the stage.
      DependsOn: [deploymentId],
      Properties: {
        ResourceArn: {
          'Fn::Sub':
            'arn:\${AWS::Partition}:apigateway:\${AWS::Region}::/restapis/\${ApiGatewayRestApi}/stages/${sls:stage}',
        },
        WebACLArn: { 'Fn::GetAtt': ['WebAcl', 'Arn'] },
      },
    },
  };
}

const deploymentId = async (resolveVariable) =>
  `ApiGatewayDeployment${await resolveVariable('sls:instanceId')}`;

/**
 * The CLI creates the API's stage by a deployment, whose name is new each time. The stage is no resource of its
 * own.
 */
exports.deployment = async ({ resolveVariable }) => {
  const { DependsOn = [], StageDescription = {} } = (await hasAccessLog(resolveVariable))
    ? LOGGING
    : {};
  return {
    [await deploymentId(resolveVariable)]: {
      // The deployment includes the responses.
      DependsOn: [...Object.keys(GATEWAY_RESPONSES).map(logicalId), ...DependsOn],
      Properties: {
        StageDescription: {
          TracingEnabled: true,
          // Of each method by itself (docs/deploy.md).
          ThrottlingRateLimit: '${param:API_RATE_LIMIT}',
          ThrottlingBurstLimit: '${param:API_BURST_LIMIT}',
          ...StageDescription,
        },
      },
    },
  };
};
