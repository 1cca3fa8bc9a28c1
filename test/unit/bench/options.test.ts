import { benchOptions } from '../../../bench/options';

describe('the options of a comparison of builds', () => {
  it('are seven rounds of the groups that any build can be measured in', () => {
    const { rounds, only } = benchOptions(['--against', 'main']);

    expect(rounds).toBe(7);
    expect([...only]).toEqual(['single', 'stream', 'publisher', 'worker', 'drain']);
  });

  it('refuse a group that needs the inside of a build', () => {
    expect(() => benchOptions(['--against', 'main', '--only', 'single,xml'])).toThrow('not xml');
    expect([...benchOptions(['--only', 'single,xml']).only]).toEqual(['single', 'xml']);
  });

  it.each(['many-destinations', 'rejections', 'cache'])('include %s on demand', (group) => {
    expect([...benchOptions(['--against', 'main', '--only', group]).only]).toEqual([group]);
    expect([...benchOptions([]).only]).not.toContain(group);
  });
});
