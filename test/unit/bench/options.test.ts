import { benchOptions } from '../../../bench/options';

describe('the options of a comparison of builds', () => {
  it('are seven rounds of the groups that any build can be measured in', () => {
    const { rounds, only } = benchOptions(['--against', 'main']);

    expect(rounds).toBe(7);
    expect([...only]).toEqual(['single', 'stream', 'publisher', 'worker']);
  });

  it('refuse a group that needs the inside of a build', () => {
    expect(() => benchOptions(['--against', 'main', '--only', 'single,xml'])).toThrow('not xml');
    expect([...benchOptions(['--only', 'single,xml']).only]).toEqual(['single', 'xml']);
  });

  it('include the deliveries on demand', () => {
    expect([...benchOptions(['--against', 'main', '--only', 'many-destinations']).only]).toEqual(['many-destinations']);
    expect([...benchOptions([]).only]).not.toContain('many-destinations');
  });
});
