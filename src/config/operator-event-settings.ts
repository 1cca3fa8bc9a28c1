import { boolean, integer, optional, setting, url } from './setting-kinds';

/** When StreamForge tells operators of what goes wrong (src/operator-events). Part of SETTINGS. */
export const OPERATOR_EVENT_SETTINGS = {
  OPERATOR_EVENTS: setting(
    boolean,
    'true',
    'whether publishers raise operator events, which are events of the tenant streamforge',
  ),
  CONSOLE_URL: optional(
    url('http:', 'https:'),
    'URL of the console for the links in operator events, such as https://ops.example.com/console; unset: /console below PUBLIC_URL, or the path alone',
  ),
  OPERATOR_LOOK_EVERY_SECONDS: setting(
    integer(1, 60),
    '10',
    'how often publishers look at what operator events are raised for, in seconds',
  ),
  OPERATOR_CLEAR_AFTER_SECONDS: setting(
    integer(1, 3_600),
    '60',
    'how long a condition must be over until the event that clears it, in seconds',
  ),
  OPERATOR_DESTINATION_FAILING_SECONDS: setting(
    integer(10, 86_400),
    '300',
    'destination.failing is raised when the failures of a destination, with no success between them, span this long, in seconds',
  ),
  OPERATOR_GROWING_DEAD_LETTERS: setting(
    integer(1, 10_000),
    '10',
    'deadletters.growing is raised when one cause has so many new dead letters within ten minutes',
  ),
  OPERATOR_GROWING_REJECTIONS: setting(
    integer(1),
    '50',
    'rejections.growing is raised when a tenant has so many new rejections within ten minutes',
  ),
  OPERATOR_OUTBOX_LAG_SECONDS: setting(
    integer(5, 86_400),
    '60',
    'outbox.lagging is raised when an event has waited this long to be published, in seconds',
  ),
  OPERATOR_QUOTA_PAUSE_SECONDS: setting(
    integer(10, 43_200),
    '300',
    'quota.reached is over when a tenant has not been refused for this long, in seconds',
  ),
  OPERATOR_KEY_EXPIRY_DAYS: setting(
    integer(1, 365),
    '14',
    'key.expiring is raised so long before an API key or the token of an operator expires, in days; at most in the last quarter of its life',
  ),
  OPERATOR_STORAGE_GB: optional(
    integer(1),
    'how large the database may become, in gigabytes; storage.filling is raised at 85 % of it; unset: it is not watched',
  ),
} as const;
