import { unusedProxies } from '../../../src/runtime/load-settings';

it('names the proxies of the environment, which are not used', () => {
  expect(unusedProxies({ HTTPS_PROXY: 'http://proxy:3128', no_proxy: '*', http_proxy: '' })).toEqual(['HTTPS_PROXY']);
  expect(unusedProxies({ PATH: '/bin' })).toEqual([]);
});
