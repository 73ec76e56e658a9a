import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import tseslint from 'typescript-eslint';
import { layering } from './scripts/eslint/layering.js';

const resolver = createTypeScriptImportResolver({
  conditionNames: ['convbase-source', 'types', 'import', 'default'],
  project: ['packages/*/tsconfig.json'],
  noWarnOnMultipleProjects: true,
});

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      '**/.turbo/',
      '**/node_modules/',
      'packages/core-gpu/src/shaders/generated.ts',
      'packages/*/fixtures/',
    ],
  },
  {
    files: ['packages/*/src/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { 'import-x': importX, convbase: { rules: { layering } } },
    languageOptions: { parserOptions: { projectService: true } },
    settings: {
      'import-x/resolver-next': [resolver],
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      'convbase/layering': 'error',
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-self-import': 'error',
      'import-x/no-duplicates': 'error',
      eqeqeq: 'error',
      'no-console': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers in messages need no String().
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Index signatures are read with brackets, as noPropertyAccessFromIndexSignature wants it.
      '@typescript-eslint/dot-notation': 'off',
      // An empty string often means "not given" (environment variables, adapter names).
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Methods that mirror an interface may not need `await` or `this`.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // Names from outside command no terminal: what people are to read is made visible first.
    files: ['packages/*/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.object.name="console"] > .arguments:not(CallExpression[callee.name=/^visible(Line|Json)?$/])',
          message: 'Print visible(text) or visibleLine(line).',
        },
        {
          selector: 'MemberExpression[object.name="console"]:not(CallExpression > .callee)',
          message: 'Print visible(text) or visibleLine(line).',
        },
      ],
    },
  },
  {
    files: ['packages/cli/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/**', 'packages/cli/src/terminal/print.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[property.name="write"][object.name=/^(stream|stdout|stderr)$/]',
          message: 'Write with the functions of terminal/print.ts, which make control characters visible.',
        },
        {
          selector: 'MemberExpression[property.name="write"][object.property.name=/^(stdout|stderr)$/]',
          message: 'Write with the functions of terminal/print.ts, which make control characters visible.',
        },
      ],
    },
  },
  {
    // Node's own functions call a folder that may not be read, or a link in a circle, a file that is not there, and
    // their errors name no file to people.
    files: ['packages/*/src/**/*.ts'],
    ignores: [
      '**/*.test.ts',
      '**/testing/**',
      '**/testing*.ts',
      'packages/base/src/node/**',
      // These have to be synchronous, and tell errors with `fileError`:
      'packages/driver/src/activate.ts', // asks in the middle of loading a library
      'packages/driver/src/quiet.ts', // exchanges a descriptor around native code
      'packages/driver/src/system.ts', // two small files before anything else
      'packages/models/src/platform/node.ts', // model files are parsed while they are read
    ],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: ['fs', 'fs/promises', 'node:fs', 'node:fs/promises'].map((name) => ({
            name,
            allowTypeImports: true,
            message: 'Use the functions of @convbase/base/node: their errors name the file.',
          })),
        },
      ],
    },
  },
  {
    files: ['packages/*/src/**/*.test.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['scripts/**/*.js', 'packages/*/scripts/**/*.js', 'packages/*/bin/*.js', '*.js'],
    extends: [tseslint.configs.recommended],
    plugins: { 'import-x': importX },
    rules: { eqeqeq: 'error' },
  },
  {
    // The command itself is CommonJS, see there.
    files: ['packages/*/bin/*.js'],
    languageOptions: { sourceType: 'commonjs' },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
