import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

const noFloatingPromises = {
  // tap itself waits for the subtests of a test.
  '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafePromises: [{ from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' }] }],
  '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/consistent-type-imports': 'error'
}

const layer = (files, forbidden) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: forbidden }] }
})

const fastify = { group: ['fastify', '@fastify/*', 'fastify-plugin'], message: 'Fastify stays in plugins/ and routes/.' }
const mongoose = { group: ['mongoose', 'mongodb'], message: 'Mongoose stays in src/models and the domains.' }

export default [
  ...neostandard({ ts: true, ignores: ['dist/**', 'build/**', 'public/**', 'data/**', '.tap/**', 'coverage/**'] }),
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    // A schema and its type share a name; the compiler finds real redeclarations.
    rules: { ...noFloatingPromises, 'no-redeclare': 'off', '@typescript-eslint/no-redeclare': 'off' }
  },
  layer(['src/{realtime,client,schemas,dashboard}/**'], [fastify, mongoose]),
  layer(['src/{models,telemetry,analytics,identity,entities,embedded-mongo}/**'], [fastify])
]
