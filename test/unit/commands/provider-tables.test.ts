import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { withProviderTables } from '../../../src/commands/openapi/provider-tables';
import { compileMapping } from '../../../src/sources/mapping/compile-mapping';
import type { Mapping } from '../../../src/sources/mapping/mapping';
import { PROVIDERS, providerOf } from '../../../src/sources/providers/providers';
import type { Verification } from '../../../src/sources/verification/verification';
import { compileVerifier } from '../../../src/sources/verification/verifiers';
import { NO_TOOLS } from '../../support/sources/proof';

const PAGE = path.resolve(__dirname, '../../../docs/source-providers.md');
const page = readFileSync(PAGE, 'utf8');

interface SourceOfPage {
  name: string;
  provider: string;
  verification: Verification;
  secrets?: string[];
  mapping?: Mapping;
}

const sources = Array.from(
  page.matchAll(/^```json\n(.*?)^```$/gms),
  ([, json]) => JSON.parse(json as string) as SourceOfPage,
);

describe('docs/source-providers.md', () => {
  it('has the tables of all presets (if not, run npm run openapi)', () => {
    expect(withProviderTables(page, PROVIDERS)).toBe(page);
  });

  it('needs a place for the tables', () => {
    expect(() => withProviderTables('no marks', PROVIDERS)).toThrow('provider-verification');
  });

  it('does not end a cell at a bar that is signed', () => {
    const [provider] = PROVIDERS as [(typeof PROVIDERS)[number]];
    const verification = { ...provider.verification, signed: 'a|b' } as Verification;
    expect(withProviderTables(page, [{ ...provider, verification }])).toContain('`a\\|b`');
  });

  it.each(sources.map((source) => [source.name, source] as const))('has a source %s that works', (_name, source) => {
    expect(source.provider === 'custom' || providerOf(source.provider) !== undefined).toBe(true);
    expect(() => compileVerifier(source.verification, source.secrets ?? [], NO_TOOLS)).not.toThrow();
    const mapping = { ...providerOf(source.provider)?.mapping, ...source.mapping };
    expect(() => compileMapping(mapping)).not.toThrow();
    expect(Object.keys(mapping)).toEqual(expect.arrayContaining(['eventType', 'subject']));
  });
});
