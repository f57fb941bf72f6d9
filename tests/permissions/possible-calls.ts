import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import type { Endpoint } from '../../lib/platform/http/endpoint.ts';
import { deployedFunctions, load, queueOf } from '../contract/deployment.ts';

const root = join(import.meta.dirname, '../..');

const CIRCUIT = ['dynamodb:GetItem OrdersTable', 'dynamodb:PutItem OrdersTable'];
const INVENTORY = [
  'ssm:GetParameter INVENTORY_CREDENTIAL_PARAMETER',
  'lambda:InvokeFunctionUrl Reservations',
  'lambda:InvokeFunction Reservations',
  ...CIRCUIT,
];

/**
 * IAM actions of each port call in a use case (`service.orders.getOrder(…)`), by hand; a transaction needs those
 * of all its items. tests/permissions/permissions.test.ts makes every line happen.
 */
const PORTS: Readonly<Record<string, readonly string[]>> = {
  'orders.getOrder': ['dynamodb:GetItem OrdersTable'],
  'orders.getOrders': ['dynamodb:BatchGetItem OrdersTable'],
  'orders.getOrdersById': ['dynamodb:BatchGetItem OrdersTable'],
  'orders.getOpenOrders': ['dynamodb:GetItem OrdersTable'],
  'orders.enterOpenOrder': ['dynamodb:UpdateItem OrdersTable'],
  'orders.saveOpenOrders': ['dynamodb:PutItem OrdersTable'],
  'orders.place': ['dynamodb:PutItem OrdersTable'],
  'orders.startReserving': ['dynamodb:UpdateItem OrdersTable', 'dynamodb:GetItem OrdersTable'],
  'orders.save': ['dynamodb:PutItem OrdersTable'],
  'orders.keepMethod': ['dynamodb:UpdateItem OrdersTable'],
  'orders.getMethod': ['dynamodb:GetItem OrdersTable'],
  'orders.forgetMethod': ['dynamodb:UpdateItem OrdersTable'],
  'orders.correctDueKey': ['dynamodb:UpdateItem OrdersTable'],
  'orders.takeWaitPlace': ['dynamodb:UpdateItem OrdersTable'],
  'orders.storeWait': ['dynamodb:UpdateItem OrdersTable'],
  'orders.getWaitToken': ['dynamodb:GetItem OrdersTable'],
  'orders.positionsOf': ['dynamodb:Query OrdersTable/index/owner'],
  'orders.dueCandidates': ['dynamodb:Query OrdersTable/index/due'],
  'inventory.reserve': INVENTORY,
  'inventory.release': INVENTORY,
  'inventory.extend': INVENTORY,
  'inventory.confirm': INVENTORY,
  'inventory.findReservation': INVENTORY,
  'inventory.quote': INVENTORY,
  'gateway.charge': [],
  'gateway.findCharge': [],
  'gateway.void': [],
  'gateway.refund': [],
  'saga.start': ['states:StartExecution OrderSaga', 'states:DescribeExecution OrderSagaExecutions'],
  'saga.signal': ['states:SendTaskSuccess TaskTokens'],
  'queues.deadLetter': ['sqs:SendMessage SagaDeadLetterQueue'],
  'queues.requestCompensation': ['sqs:SendMessage CompensationQueue'],
  'acknowledgements.add': ['sqs:SendMessage AcknowledgementQueue'],
  'repository.findReservation': ['dynamodb:BatchGetItem InventoryTable'],
  'repository.view': ['dynamodb:BatchGetItem InventoryTable'],
  'catalogue.findProduct': ['dynamodb:GetItem InventoryTable'],
  'catalogue.findProducts': ['dynamodb:BatchGetItem InventoryTable'],
  'catalogue.findReceipt': ['dynamodb:GetItem InventoryTable'],
  'catalogue.productIds': ['dynamodb:Query InventoryTable/index/catalogue'],
  'repository.expiredReservations': ['dynamodb:Query InventoryTable/index/expiry'],
  'catalogue.addProduct': ['dynamodb:PutItem InventoryTable'],
  'catalogue.changeProduct': [
    'dynamodb:PutItem InventoryTable',
    'dynamodb:UpdateItem InventoryTable',
  ],
  'catalogue.addReceipt': ['dynamodb:PutItem InventoryTable', 'dynamodb:UpdateItem InventoryTable'],
  'repository.commit': ['dynamodb:PutItem InventoryTable', 'dynamodb:UpdateItem InventoryTable'],
};

/** `service.orders.getOrder(`, `acknowledgements().add(`; excludes AWS clients and variables of the same name. */
const PORT_CALL =
  /(?:(?<!\baws)\.(orders|inventory|gateway|saga|queues|repository|catalogue)|\b(acknowledgements)\(\))\.(\w+)\(/g;

const IDEMPOTENT = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'].map(
  (action) => `dynamodb:${action} IdempotencyTable`,
);

/**
 * The AWS calls that each function's code can make, by its key in serverless.yml. They are the calls of all
 * ports in its tree-shaken bundle, plus those of its pipeline.
 */
export async function possibleCalls(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const code = await ownCode();
  const calls = new Map<string, ReadonlySet<string>>();
  for (const [functionKey, file] of deployedFunctions()) {
    const { handler } = (await load(file)) as {
      handler: { endpoint?: Endpoint; endpoints?: readonly Endpoint[] };
    };
    const endpoints = handler.endpoints ?? [handler.endpoint ?? []].flat();
    calls.set(
      functionKey,
      new Set([
        ...callsOfPorts(code.get(file) ?? ''),
        ...endpoints.flatMap(callsOfPipeline),
        ...callsOfConsumer(queueOf(functionKey)),
      ]),
    );
  }
  return calls;
}

/** The project's own code that each file of functions/ can reach, without comments. */
async function ownCode(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    entryPoints: globSync('functions/**/*.ts', { cwd: root }),
    absWorkingDir: root,
    outdir: root,
    outExtension: { '.js': '.ts' },
    bundle: true,
    packages: 'external',
    // Packaging replaces the rendered document by its text.
    external: ['../api-document/rendered-*'],
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    legalComments: 'none',
    write: false,
    allowOverwrite: true,
  });
  return new Map(
    outputFiles.map(({ path, text }) => [
      join('functions', relative(root, path).replace(/^functions\//, '')),
      text,
    ]),
  );
}

function callsOfPorts(code: string): string[] {
  const ports = [...code.matchAll(PORT_CALL)].map(
    ([, port, queue, call]) => `${port ?? queue ?? ''}.${call ?? ''}`,
  );
  return [...new Set(ports)].flatMap((port) => {
    const calls = PORTS[port];
    if (calls === undefined) throw new Error(`Say in PORTS what ${port} asks of AWS.`);
    return calls;
  });
}

function callsOfPipeline({ access, idempotency, signature }: Endpoint): string[] {
  return [
    ...(idempotency !== undefined ? IDEMPOTENT : []),
    ...(access.callers === 'service' ? ['ssm:GetParameter INVENTORY_CREDENTIAL_PARAMETER'] : []),
    ...(signature !== undefined ? ['ssm:GetParameter WEBHOOK_SECRETS_PARAMETER'] : []),
  ];
}

/** Lambda receives and deletes with the function's role; the function delays failed messages and gives them up. */
function callsOfConsumer(queue: string | undefined): string[] {
  if (queue === undefined) return [];
  const actions = [
    'ReceiveMessage',
    'DeleteMessage',
    'GetQueueAttributes',
    'ChangeMessageVisibility',
  ];
  return [
    ...actions.map((action) => `sqs:${action} ${queue}`),
    `sqs:SendMessage ${queue.replace(/Queue$/, 'DeadLetterQueue')}`,
  ];
}
