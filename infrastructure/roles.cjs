// Makes one IAM role for each function from infrastructure/permissions.yml.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { parse } = require('yaml');

const ARN_PREFIX = 'arn:${AWS::Partition}:';
const HERE = '${AWS::Region}:${AWS::AccountId}';

/** Service, ARN and conditions of each kind of resource, by its name in permissions.yml. */
const RESOURCES = [
  [/Table$/, 'dynamodb', (name) => ({ 'Fn::GetAtt': [name, 'Arn'] })],
  [
    /Table\/index\/\w+$/,
    'dynamodb',
    (name) => ({ 'Fn::Sub': name.replace(/^(\w+)/, '${$1.Arn}') }),
  ],
  [/Queue$/, 'sqs', (name) => ({ 'Fn::GetAtt': [name, 'Arn'] })],
  // By name: the state machine refers to functions, which refer to their roles.
  [
    /^OrderSaga$/,
    'states',
    () => ({ 'Fn::Sub': `${ARN_PREFIX}states:${HERE}:stateMachine:\${self:custom.orderSagaName}` }),
  ],
  [
    /^OrderSagaExecutions$/,
    'states',
    () => ({ 'Fn::Sub': `${ARN_PREFIX}states:${HERE}:execution:\${self:custom.orderSagaName}:*` }),
  ],
  // Step Functions has no resource for a task token's callback.
  [/^TaskTokens$/, 'states', () => '*'],
  // By name: the function's environment is that of its callers, whose roles come first.
  [
    /^Reservations$/,
    'lambda',
    () => ({
      'Fn::Sub': `${ARN_PREFIX}lambda:${HERE}:function:\${self:service}-\${sls:stage}-reservations`,
    }),
    // A function URL's callers need both actions; nobody invokes the function past its URL.
    { InvokeFunction: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } } },
  ],
  [
    /_PARAMETER$/,
    'ssm',
    (name) => ({ 'Fn::Sub': `${ARN_PREFIX}ssm:${HERE}:parameter\${param:${name}}` }),
  ],
];

function statements([name, actions]) {
  const [, service, arnOf, conditions = {}] =
    RESOURCES.find(([pattern]) => pattern.test(name)) ?? [];
  if (service === undefined) throw new Error(`permissions.yml: what is ${name}?`);
  const allow = (some) => ({
    Effect: 'Allow',
    Action: some.map((action) => `${service}:${action}`),
    Resource: arnOf(name),
  });
  const free = actions.filter((action) => conditions[action] === undefined);
  const bound = actions.filter((action) => conditions[action] !== undefined);
  return [
    ...(free.length === 0 ? [] : [allow(free)]),
    ...bound.map((action) => ({ ...allow([action]), Condition: conditions[action] })),
  ];
}

/**
 * Permissions of every function: to write its own log, and for Lambda to write its traces. X-Ray has no
 * resources.
 */
function everywhere(functionKey) {
  const group = `/aws/lambda/\${self:service}-\${sls:stage}-${functionKey}`;
  return [
    {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: { 'Fn::Sub': `${ARN_PREFIX}logs:${HERE}:log-group:${group}:*` },
    },
    {
      Effect: 'Allow',
      Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
      Resource: '*',
    },
  ];
}

function role([functionKey, resources]) {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Description: `What ordersaga's ${functionKey} may do`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'lambda.amazonaws.com' },
            Action: 'sts:AssumeRole',
          },
        ],
      },
      Policies: [
        {
          PolicyName: functionKey,
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              ...Object.entries(resources).flatMap(statements),
              ...everywhere(functionKey),
            ],
          },
        },
      ],
    },
  };
}

const table = parse(readFileSync(join(__dirname, 'permissions.yml'), 'utf8'));
const roleName = (functionKey) => `${functionKey[0].toUpperCase()}${functionKey.slice(1)}Role`;

module.exports = Object.fromEntries(
  Object.entries(table).map((entry) => [roleName(entry[0]), role(entry)]),
);
