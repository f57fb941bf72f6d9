import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const domainFiles = [
  'lib/**/order.ts',
  'lib/**/payment.ts',
  'lib/**/product.ts',
  'lib/**/reservation.ts',
  'lib/**/money.ts',
  'lib/limits.ts',
];

export default defineConfig(
  { ignores: ['**/*.js', '**/*.cjs', '.esbuild/', '.serverless/', '.local/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['api-document/**/*.ts', 'functions/**/*.ts', 'lib/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only lib/platform/environment.ts reads it.',
        },
      ],
      // Step Functions matches an error's name; an unnamed subclass arrives as `Error`.
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'ClassDeclaration[superClass.name=/Error$/][abstract!=true] > ClassBody:not(:has(> PropertyDefinition[key.name="name"][value.type="Literal"]))',
          message: "An error declares `override readonly name = 'ItsName'`.",
        },
        {
          selector: 'ImportDeclaration[source.value="zod"] > ImportSpecifier[imported.name="z"]',
          message: "import * as z from 'zod': packages leave out what nobody uses of it.",
        },
      ],
    },
  },
  {
    files: ['functions/**/*.ts'],
    // The declaration of a route may be longer than the code that answers it.
    rules: { 'max-lines': ['error', 90], 'max-lines-per-function': ['error', 20] },
  },
  {
    files: ['lib/platform/environment.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // Domain files know no clock, no randomness and no process.
    files: domainFiles,
    rules: {
      'no-restricted-globals': [
        'error',
        'crypto',
        'Date',
        'fetch',
        'performance',
        'process',
        'setInterval',
        'setTimeout',
      ],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random' }],
    },
  },
  {
    files: ['tests/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // expect.any() and its kin are of type any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
);
