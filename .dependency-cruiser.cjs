// Import rules between folders. A type import counts as an import.

const domain =
  '/(order|order-items|moves|payment|product|reservation)\\.ts$|^lib/(money|limits)\\.ts$';
// One meaning of money and one set of limits for both services.
const shared = '^lib/(money|limits)\\.ts$';
const npm = '^node_modules/';
const node = { dependencyTypesNot: ['core'] };

// The Order Service meets the Inventory Service over HTTP: it knows that client and the domain types.
const inventoryOverHttp = '^lib/inventory/(inventory-client|errors|product|reservation)\\.ts$';

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
        pathNot: ['^lib/(orders|payments|platform)/', shared, inventoryOverHttp, npm],
        ...node,
      },
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
      to: { pathNot: ['^lib/platform/', '^lib/limits\\.ts$', npm], ...node },
    },
    {
      name: 'api-document',
      comment: "The API's document is put together from what each service says of its own calls.",
      severity: 'error',
      from: { path: '^lib/api-document/' },
      to: {
        pathNot: [
          '^lib/(api-document|platform)/',
          '^lib/limits\\.ts$',
          '^lib/(orders|inventory)/http/(orders|inventory)-document\\.ts$',
          npm,
        ],
        ...node,
      },
    },
    {
      name: 'only-the-document-describes',
      comment: 'What describes the API adds nothing to the functions that answer it but types.',
      severity: 'error',
      from: {
        path: '^(functions|lib)/',
        pathNot: [
          '^functions/(openapi|docs|preflight)\\.ts$',
          '-document\\.ts$',
          '^lib/api-document/',
        ],
      },
      to: {
        path: ['-document\\.ts$', '^lib/api-document/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'functions',
      comment: 'A function imports lib and zod: never the AWS SDK, never another function.',
      severity: 'error',
      from: { path: '^functions/' },
      to: { pathNot: ['^lib/', '^node_modules/zod/'] },
    },
    {
      name: 'deployed-code-stands-alone',
      comment: 'Nothing that is deployed knows what runs, tries out, measures or tests it.',
      severity: 'error',
      from: { path: '^(lib|functions)/' },
      to: { path: '^(local|tools|torture|bench|tests)/' },
    },
    {
      name: 'deployed-code-needs-no-dev-dependency',
      comment: 'Of devDependencies, what is deployed imports types only.',
      severity: 'error',
      from: { path: '^(lib|functions)/' },
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
