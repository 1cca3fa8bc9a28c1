import { parseRoles } from '../../../src/config/roles';

describe('roles', () => {
  it.each([
    ['all', ['api', 'publisher', 'worker']],
    ['api', ['api']],
    ['publisher', ['publisher']],
    ['worker,api', ['api', 'worker']],
    [' api , worker ', ['api', 'worker']],
    ['api,api', ['api']],
  ])('%j is %j', (text, roles) => {
    expect(parseRoles(text)).toEqual(roles);
  });

  it.each(['', ',', 'api,', 'all,api', 'API', 'everything', 'api worker'])('%j is none', (text) => {
    expect(parseRoles(text)).toBeUndefined();
  });
});
