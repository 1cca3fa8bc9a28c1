import { refusalOf } from '../../../src/runtime/require-node';

const refusal = (version: string, missing: string[] = []) => refusalOf({ version, path: '/usr/bin/node', missing });

describe('the check of the Node.js version', () => {
  it.each(['v22.15.0', 'v22.22.3', 'v23.8.0', 'v24.0.0', 'v100.1.0'])('takes %s', (version) => {
    expect(refusal(version)).toBeUndefined();
  });

  it.each(['v12.22.0', 'v20.20.2', 'v22.14.9', 'v9.99.0'])('refuses %s', (version) => {
    expect(refusal(version)).toBe(
      `StreamForge needs Node.js 22.15 or newer, but this is ${version} (/usr/bin/node): install Node.js 24, or run ` +
        '"npm ci" without --omit=dev and --ignore-scripts, which brings Node.js 24 for all npm scripts.',
    );
  });

  it('refuses a newer one that lacks a feature, and names the feature', () => {
    expect(refusal('v23.2.0', ['zstd'])).toContain('this is v23.2.0 (/usr/bin/node), which lacks zstd: ');
  });

  it('can ask for more, as the tests do', () => {
    const found = { version: 'v22.15.0', path: '/usr/bin/node', missing: [] };
    expect(refusalOf(found, 'The tests need', '24.9')).toMatch(/^The tests need Node\.js 24\.9 or newer/);
    expect(refusalOf({ ...found, version: 'v24.9.0' }, 'The tests need', '24.9')).toBeUndefined();
  });
});
