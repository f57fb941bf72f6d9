import { createRequire } from 'node:module';

interface Statement {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

interface Role {
  readonly Properties: {
    readonly Policies: readonly {
      readonly PolicyName: string;
      readonly PolicyDocument: { readonly Statement: readonly Statement[] };
    }[];
  };
}

/** The statements of each function's role, by the function's key in serverless.yml. */
export function statements(): ReadonlyMap<string, readonly Statement[]> {
  const roles = createRequire(import.meta.url)('../../infrastructure/roles.cjs') as Readonly<
    Record<string, Role>
  >;
  return new Map(
    Object.values(roles)
      .flatMap(({ Properties }) => Properties.Policies)
      .map(({ PolicyName, PolicyDocument }) => [PolicyName, PolicyDocument.Statement]),
  );
}

/** Permissions of each function, besides its log and traces: `dynamodb:PutItem OrdersTable`. */
export function grantedCalls(): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    [...statements()].map(([functionKey, granted]) => [
      functionKey,
      new Set(
        granted.flatMap(({ Action, Resource }) =>
          Action.filter((action) => !/^(?:logs|xray):/.test(action)).map(
            (action) => `${action} ${resourceName(Resource)}`,
          ),
        ),
      ),
    ]),
  );
}

/** Names for the resources of statements, by hand. */
const NAMES: Readonly<Record<string, string>> = {
  'states:${AWS::Region}:${AWS::AccountId}:stateMachine:${self:custom.orderSagaName}': 'OrderSaga',
  'states:${AWS::Region}:${AWS::AccountId}:execution:${self:custom.orderSagaName}:*':
    'OrderSagaExecutions',
  'ssm:${AWS::Region}:${AWS::AccountId}:parameter${param:INVENTORY_CREDENTIAL_PARAMETER}':
    'INVENTORY_CREDENTIAL_PARAMETER',
  'ssm:${AWS::Region}:${AWS::AccountId}:parameter${param:WEBHOOK_SECRETS_PARAMETER}':
    'WEBHOOK_SECRETS_PARAMETER',
  'lambda:${AWS::Region}:${AWS::AccountId}:function:${self:service}-${sls:stage}-reservations':
    'Reservations',
  '${OrdersTable.Arn}/index/owner': 'OrdersTable/index/owner',
  '${OrdersTable.Arn}/index/due': 'OrdersTable/index/due',
  '${InventoryTable.Arn}/index/catalogue': 'InventoryTable/index/catalogue',
  '${InventoryTable.Arn}/index/expiry': 'InventoryTable/index/expiry',
  '*': 'TaskTokens',
};

function resourceName(resource: unknown): string {
  if (typeof resource === 'string') return NAMES[resource] ?? resource;
  const { 'Fn::GetAtt': attribute, 'Fn::Sub': text = '' } = resource as {
    readonly 'Fn::GetAtt'?: readonly [string, string];
    readonly 'Fn::Sub'?: string;
  };
  if (attribute?.[1] === 'Arn') return attribute[0];
  return NAMES[text.replace('arn:${AWS::Partition}:', '')] ?? text;
}
