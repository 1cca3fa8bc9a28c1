import { compilePlaces, configuredUrl } from '../../../../src/sources/fetching/allowed-url';

const SNS = 'sns.*.amazonaws.com/SimpleNotificationService-';
const CONFIRM = 'sns.*.amazonaws.com/?Action=ConfirmSubscription&';
const PAYPAL = 'api.paypal.com/v1/notifications/certs/';

describe('a URL that a request names', () => {
  it.each([
    [SNS, 'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123.pem'],
    [SNS, 'https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-0123.pem'],
    [SNS, 'https://SNS.eu-central-1.AmazonAWS.com:443/SimpleNotificationService-0123.pem'],
    [CONFIRM, 'https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:x&Token=2336'],
    [PAYPAL, 'https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-00000000'],
    ['api.example.com', 'https://api.example.com/anything?at=all'],
  ])('may be in %s: %s', (place, url) => {
    expect(compilePlaces([PAYPAL, place])(url)).toEqual({ href: new URL(url).href, place });
  });

  it.each([
    ['http', PAYPAL, 'http://api.paypal.com/v1/notifications/certs/C'],
    ['a port', PAYPAL, 'https://api.paypal.com:8443/v1/notifications/certs/C'],
    ['a user', PAYPAL, 'https://api.paypal.com@evil.example/v1/notifications/certs/C'],
    ['credentials', PAYPAL, 'https://me:pw@api.paypal.com/v1/notifications/certs/C'],
    ['a fragment', PAYPAL, 'https://api.paypal.com/v1/notifications/certs/C#x'],
    ['a host before it', PAYPAL, 'https://evil.api.paypal.com/v1/notifications/certs/C'],
    ['a host after it', PAYPAL, 'https://api.paypal.com.evil.example/v1/notifications/certs/C'],
    ['a dot at the end of the host', PAYPAL, 'https://api.paypal.com./v1/notifications/certs/C'],
    ['another path', PAYPAL, 'https://api.paypal.com/v1/oauth2'],
    ['a path that leads out', PAYPAL, 'https://api.paypal.com/v1/notifications/certs/../../x'],
    ['an escaped path that leads out', PAYPAL, 'https://api.paypal.com/v1/notifications/certs/%2e%2e/x'],
    ['an escaped slash', PAYPAL, 'https://api.paypal.com/v1/notifications/certs/..%2fx'],
    ['a backslash', PAYPAL, 'https://api.paypal.com/v1/notifications/certs\\..\\x'],
    ['a query', PAYPAL, 'https://api.paypal.com/v1/notifications/certs/C?x=1'],
    ['no region', SNS, 'https://sns.amazonaws.com/SimpleNotificationService-1.pem'],
    ['two labels for the region', SNS, 'https://sns.x.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem'],
    ['a bucket of S3', SNS, 'https://sns.s3.amazonaws.com/SimpleNotificationService-1.pem'],
    ['a bucket of S3 in a region', SNS, 'https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-1.pem'],
    ['a fast bucket of S3', SNS, 'https://sns.s3-accelerate.amazonaws.com/SimpleNotificationService-1.pem'],
    ['another action', CONFIRM, 'https://sns.us-east-1.amazonaws.com/?Action=Publish&TopicArn=x'],
    ['an address', 'api.example.com', 'https://127.0.0.1/'],
    ['another scheme', 'api.example.com', 'file:///etc/passwd'],
    ['no URL', 'api.example.com', 'api.example.com'],
    ['a long URL', 'api.example.com', `https://api.example.com/${'x'.repeat(3_000)}`],
  ])('is refused with %s', (_what, place, url) => {
    expect(compilePlaces([place])(url)).toBeUndefined();
  });

  it.each([
    '*',
    '*.com',
    'amazonaws.*',
    'sns-*.amazonaws.com',
    'https://api.example.com',
    'localhost',
    '127.0.0.1',
    '',
  ])('cannot be allowed by %j', (place) => {
    expect(() => compilePlaces([place])).toThrow('must be a host');
  });
});

describe('a URL that an operator has configured', () => {
  it('may be on any host and port', () => {
    expect(configuredUrl('https://keycloak.internal:8443/certs')).toEqual({
      href: 'https://keycloak.internal:8443/certs',
      place: 'https://keycloak.internal:8443',
    });
  });

  it.each(['http://a.example/', 'https://me:pw@a.example/', 'https://a.example/#x', 'a.example'])(
    'is not %s',
    (url) => {
      expect(() => configuredUrl(url)).toThrow('must be a URL with https');
    },
  );
});
