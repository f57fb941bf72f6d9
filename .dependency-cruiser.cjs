// Import rules between folders. A type import counts as an import.

const domain =
  '/(order|order-items|order-payments|order-due|moves|payment|product|reservation)\\.ts$|^lib/(money|limits)\\.ts$';
// One meaning of money, one set of limits and one form of every id for both services.
const shared = '^lib/(money|limits|outside-ids)\\.ts$';
const npm = '^node_modules/';
const node = { dependencyTypesNot: ['core'] };

// The Order Service meets the Inventory Service over HTTP: it knows that client and the domain types.
const inventoryOverHttp = '^lib/inventory/(inventory-client|refusals|product|reservation)\\.ts$';

// The order saga as a table. What renders it is no part of a Lambda.
const sagaTable =
  '^statemachines/(constants|durations|order-saga|retry-policies|state-machine)\\.ts$';

// Schemas and examples of answers, which only the API's document needs at run time.
const describing = [
  '^lib/orders/http/(response-schemas|order-examples)\\.ts$',
  '^lib/inventory/http/(product-response|inventory-examples)\\.ts$',
  '^lib/platform/http/examples\\.ts$',
];

module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment: 'A domain file imports domain files and platform/errors: no npm, no node:.',
      severity: 'error',
      from: { path: domain },
      to: { pathNot: [domain, '^lib/platform/errors\\.ts$'] },
    },
    {
      name: 'orders',
      comment: 'The Order Service owns orders and payments, and meets inventory over HTTP.',
      severity: 'error',
      from: { path: '^lib/orders/' },
      to: {
        pathNot: ['^lib/(orders|payments|platform)/', shared, inventoryOverHttp, sagaTable, npm],
        ...node,
      },
    },
    {
      name: 'saga-table',
      comment:
        "The saga's table names errors and settings; every Lambda of an order loads it, so no library.",
      severity: 'error',
      from: { path: sagaTable },
      to: {
        pathNot: [
          sagaTable,
          '^lib/(orders|payments|inventory)/refusals\\.ts$',
          '^lib/platform/errors\\.ts$',
          '^lib/orders/saga/signals\\.ts$',
          '^lib/platform/config\\.ts$',
        ],
      },
    },
    {
      name: 'saga-table-loads-no-configuration',
      comment: 'Of settings the table knows the names, as types.',
      severity: 'error',
      from: { path: sagaTable },
      to: { path: '^lib/platform/config\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'payments',
      comment: 'Orders use payments, not the reverse.',
      severity: 'error',
      from: { path: '^lib/payments/' },
      to: {
        pathNot: ['^lib/(payments|platform)/', shared, inventoryOverHttp, npm],
        ...node,
      },
    },
    {
      name: 'inventory',
      comment: 'The Inventory Service knows nothing of orders and payments.',
      severity: 'error',
      from: { path: '^lib/inventory/' },
      to: { pathNot: ['^lib/(inventory|platform)/', shared, npm], ...node },
    },
    {
      name: 'platform',
      comment: 'The platform knows nothing of the services that stand on it.',
      severity: 'error',
      from: { path: '^lib/platform/' },
      to: { pathNot: ['^lib/platform/', '^lib/(limits|outside-ids)\\.ts$', npm], ...node },
    },
    {
      name: 'api-document',
      comment:
        "The API's document is made from the functions' declarations and each service's examples. It runs at " +
        'packaging and in tests; nothing else imports functions.',
      severity: 'error',
      from: { path: '^api-document/' },
      to: {
        pathNot: [
          '^api-document/',
          '^functions/',
          '^lib/platform/http/',
          '^lib/limits\\.ts$',
          '^lib/(orders|payments|inventory)/refusals\\.ts$',
          '^lib/platform/errors\\.ts$',
          '^lib/(orders|inventory)/http/(order|inventory)-examples\\.ts$',
          '^node_modules/zod/',
        ],
        ...node,
      },
    },
    {
      name: 'only-endpoints-collects-functions',
      comment:
        'One module collects the declarations. All others of the document read them from there.',
      severity: 'error',
      from: { path: '^api-document/', pathNot: '^api-document/endpoints\\.ts$' },
      to: { path: '^functions/' },
    },
    {
      name: 'only-the-document-describes',
      comment:
        'Schemas and examples of answers add nothing but types to the functions that answer. Three functions carry ' +
        'texts that packaging renders (rendered-*.ts), and two of them have their declarations in own-endpoints.ts.',
      severity: 'error',
      from: { path: '^(functions|lib)/', pathNot: describing },
      to: {
        path: [...describing, '^api-document/'],
        pathNot: '^api-document/(rendered-\\w+|own-endpoints)\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-three-functions-carry-the-document',
      comment: 'They show the document, its page, and the methods of each path.',
      severity: 'error',
      from: { path: '^functions/', pathNot: '^functions/(openapi|docs|preflight)\\.ts$' },
      to: { path: '^api-document/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'functions',
      comment:
        'A function imports lib, zod and the rendered document: never the AWS SDK, never another function.',
      severity: 'error',
      from: { path: '^functions/' },
      to: { pathNot: ['^lib/', '^api-document/', '^node_modules/zod/'] },
    },
    {
      name: 'lib-knows-no-function',
      comment: 'Functions and the document stand on lib, not the reverse.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(functions|api-document)/' },
    },
    {
      name: 'deployed-code-stands-alone',
      comment: 'Nothing that is deployed knows what runs, tries out, measures or tests it.',
      severity: 'error',
      from: { path: '^(lib|functions|api-document)/' },
      to: { path: '^(local|tools|torture|bench|tests)/' },
    },
    {
      name: 'deployed-code-needs-no-dev-dependency',
      comment: 'Of devDependencies, what is deployed imports types only.',
      severity: 'error',
      from: { path: '^(lib|functions|api-document)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'default'],
    },
  },
};
