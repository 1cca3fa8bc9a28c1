import { Metrics } from '../../../../src/observability/metrics';
import { RequestReport } from '../../../../src/sources/inspector/request-report';
import { type RequestSamples } from '../../../../src/sources/inspector/request-samples';
import { examineRequest } from '../../../../src/sources/intake/examine-request';
import { refused } from '../../../../src/sources/verification/verdict';
import { sourceWith } from '../../../support/sources/live';
import { received } from '../../../support/sources/received';
import { talliesOf } from '../../../support/tallies';

describe('the verification of a request', () => {
  const context = sourceWith({ verification: { scheme: 'none', allow: ['203.0.113.0/24'] } });
  let metrics: Metrics;
  beforeEach(() => {
    metrics = new Metrics();
  });
  const reportOf = () => {
    const report = new RequestReport({ note: () => undefined } as Partial<RequestSamples> as RequestSamples, metrics);
    return report.begin(context.source, context.rules, received({}), 'c');
  };

  it('is measured by scheme and result', async () => {
    const { measured } = reportOf();
    for (const address of ['203.0.113.7', '203.0.113.8', '198.51.100.1'])
      await examineRequest(received({ address }), { ...context, measured });
    await expect(talliesOf(metrics.durations.verifications)).resolves.toEqual({
      'none verified': 2,
      'none refused': 1,
    });
  });

  it('is measured with the time that a key was waited for, and when it cannot be fetched', async () => {
    const { measured } = reportOf();
    const verdict = refused('signature-invalid', 'wrong');
    await expect(measured(() => Promise.resolve(verdict))).resolves.toBe(verdict);
    await expect(measured(() => Promise.reject(new Error('no key')))).rejects.toThrow('no key');
    await expect(talliesOf(metrics.durations.verifications)).resolves.toEqual({
      'none refused': 1,
      'none unavailable': 1,
    });
  });
});
