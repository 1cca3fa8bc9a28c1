import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { PROVIDERS } from '../../../../src/sources/providers/providers';
import { compileMapping } from '../../../../src/sources/mapping/compile-mapping';
import { compileVerifier } from '../../../../src/sources/verification/verifiers';
import { NO_TOOLS, type Proof } from '../../../support/sources/proof';

const PROOFS = globSync('*/*.proof.ts', { cwd: __dirname });

describe('every preset', () => {
  it('has a proof, and the test of its room runs it', async () => {
    const proved = await Promise.all(
      PROOFS.map(async (file) => ((await import(path.join(__dirname, file))) as { proof: Proof }).proof.provider),
    );
    expect(proved.toSorted()).toEqual(PROVIDERS.map(({ id }) => id).toSorted());
    const runs = (file: string): boolean => {
      const room = readFileSync(path.join(__dirname, `${path.dirname(file)}.test.ts`), 'utf8');
      return room.includes(`from './${file.slice(0, -'.ts'.length)}'`);
    };
    expect(PROOFS.filter((file) => !runs(file))).toEqual([]);
  });

  it('has an id of its own', () => {
    expect(new Set(PROVIDERS.map(({ id }) => id)).size).toBe(PROVIDERS.length);
  });

  it.each(PROVIDERS.map((provider) => [provider.id, provider] as const))('%s is complete', (_id, provider) => {
    expect(provider.documentation).toMatch(/^https:\/\/[^ ]+$/);
    expect(Number.isNaN(Date.parse(provider.checkedOn))).toBe(false);
    expect(provider.proof).not.toBe('');
    expect(() => compileVerifier(provider.verification, [], NO_TOOLS)).not.toThrow();
    expect(() => compileMapping(provider.mapping)).not.toThrow();
    expect(provider.verification.scheme).not.toBe('none');
  });
});
