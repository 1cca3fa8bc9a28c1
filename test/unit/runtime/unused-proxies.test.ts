import { proxyAdvice } from '../../../src/runtime/load-settings';

const UNSET = { DESTINATIONS_PROXY_URL: undefined };

it('names the variables of a proxy that has no effect', () => {
  const env = { HTTPS_PROXY: 'http://proxy:3128', no_proxy: '*', http_proxy: '' };
  expect(proxyAdvice(UNSET, env)).toMatch(/^HTTPS_PROXY has no effect: .*DESTINATIONS_PROXY_URL\.$/);
  expect(proxyAdvice(UNSET, { ...env, all_proxy: 'http://proxy:3128' })).toMatch(/^HTTPS_PROXY and all_proxy have no/);
});

it('says nothing without such variables, and where DESTINATIONS_PROXY_URL is set', () => {
  expect(proxyAdvice(UNSET, { PATH: '/bin' })).toBeUndefined();
  const set = { DESTINATIONS_PROXY_URL: 'http://proxy:3128' };
  expect(proxyAdvice(set, { HTTPS_PROXY: 'http://proxy:3128' })).toBeUndefined();
});
