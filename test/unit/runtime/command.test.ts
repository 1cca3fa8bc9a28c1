import { usageOf } from '../../../src/runtime/command';

describe('the usage of a command', () => {
  it('lists every option, its default, and --help', () => {
    const options = {
      port: { type: 'string', value: '<n>', default: '4000', does: 'port to listen on' },
      fail: { type: 'boolean', does: 'respond with a failure' },
    } as const;
    expect(usageOf({ name: 'npm run demo', summary: 'A demo.', options })).toBe(
      `Usage: npm run demo -- [options]

A demo.

Options:
  --port <n>  port to listen on (default: 4000)
  --fail      respond with a failure
  --help      print this text
`,
    );
  });

  it('names the operands before the options', () => {
    const usage = usageOf({ name: 'npm run keys', summary: '', operands: 'create|list', options: {} });
    expect(usage).toMatch(/^Usage: npm run keys -- create\|list \[options\]\n/);
  });

  it('needs no `--` where npm is not in between', () => {
    expect(usageOf({ name: 'node x.js', summary: '', options: {} })).toMatch(/^Usage: node x\.js \[options\]\n/);
  });
});
