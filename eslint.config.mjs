import eslint from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const RULES = {
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/no-extraneous-class': 'off',
  '@typescript-eslint/require-await': 'off',
  '@typescript-eslint/non-nullable-type-assertion-style': 'off',
  'no-empty': ['error', { allowEmptyCatch: false }],
  complexity: ['error', 20],
  'max-lines': ['error', 300],
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', '.streamforge/', 'console/src/api/schema.d.ts'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...RULES,
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Settings are parsed once, in runtime/load-settings.ts.' },
      ],
    },
  },
  {
    files: ['console/**/*.{ts,tsx,mts}'],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { 'react-hooks': reactHooks },
    languageOptions: { parserOptions: { project: './console/tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...RULES,
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]',
          message: 'What strangers have sent is shown as text.',
        },
      ],
    },
  },
  {
    files: ['src/runtime/load-settings.ts', 'src/commands/*.ts', 'src/cli/streamforge.ts', 'test/**', 'bench/**'],
    rules: { 'no-restricted-properties': 'off' },
  },
  { files: ['test/**'], rules: { 'max-lines': 'off' } },
  {
    files: ['**/*.js'],
    languageOptions: { globals: { module: 'readonly', process: 'readonly', require: 'readonly' } },
  },
);
